/* The pool's hand-off, as lib/pool/settle.c, lease.c and lease_end.c do it: threads queue up for the
 * places of one pool, are granted a connection or a permit to dial, run into deadlines, fail to dial,
 * find their connection dead, and the pool may be closed at any moment.
 *
 * An `atomic` block is what the code does in one go under the lock; between two of them everybody
 * else may run. Time is not modelled: who has a deadline may find at any moment that it has passed,
 * who has none sleeps until woken. So a wake-up that gets lost shows as a deadlock.
 *
 * Checked: no deadlock, no connection used by two, never more places than there are, nobody waiting
 * while there is something to give, and in the end every place back, none open once closed.
 *
 * Each of these defects must be found when it is planted:
 * Plant: KEEP_A_USELESS_GRANT
 * Plant: KEEP_A_FAILED_PERMIT
 * Plant: FAIL_WITHOUT_SETTLING
 * Plant: CLOSE_WITHOUT_SETTLING
 * Plant: SLEEP_AFTER_UNLOCK
 * Plant: GIVE_AND_KEEP
 * Plant: LEAVE_WITHOUT_FORGETTING
 * Plant: REDIAL_ON_A_NEW_PLACE */

#ifndef CLIENTS
#define CLIENTS 3
#endif
#ifndef PLACES
#define PLACES 1
#endif
#ifndef ROUNDS
#define ROUNDS 2
#endif

#define NOTHING    0
#define CONNECTION 1
#define PERMIT     2
#define CLOSED     3

chan queue = [CLIENTS] of {byte}; /* waiters, oldest first */
byte grant[CLIENTS];
byte given[CLIENTS];  /* the connection of a grant */
bool asleep[CLIENTS]; /* it has a park to be woken in */
bool woken[CLIENTS];

byte idle[PLACES + 1]; /* a stack of connections */
byte num_idle;
byte num_open;  /* places: idle + num_out */
byte num_out;   /* leased or dialling */
bool exists[PLACES];
byte users[PLACES];
bool closed;

inline check()
{
    assert(num_open == num_idle + num_out);
    assert(num_open <= PLACES);
    /* Nobody waits while there is something to give. */
    assert(len(queue) == 0 || (!closed && num_idle == 0 && num_open == PLACES))
}

inline give(whom, what)
{
    grant[whom] = what;
    if
    :: asleep[whom] -> woken[whom] = true
    :: else
    fi
}

/* take_idle leases the newest idle connection. */
inline take_idle(which)
{
    num_idle--;
    which = idle[num_idle];
    idle[num_idle] = 0;
    num_out++
}

inline settle()
{
    do
    :: len(queue) > 0 && closed ->
        queue?first;
        give(first, CLOSED)
    :: len(queue) > 0 && !closed && num_idle > 0 ->
        queue?first;
        take_idle(given[first]);
#ifdef GIVE_AND_KEEP
        idle[num_idle] = given[first];
        num_idle++;
        num_out--;
#endif
        give(first, CONNECTION)
    :: len(queue) > 0 && !closed && num_idle == 0 && num_open < PLACES ->
        queue?first;
        num_open++;
        num_out++;
        give(first, PERMIT)
    :: else -> break
    od;
    first = 0
}

/* put_idle takes a leased connection home, or ends it when the pool is closed. */
inline put_idle(which)
{
    num_out--;
    if
    :: closed ->
        exists[which] = false;
        num_open--
    :: else ->
        idle[num_idle] = which;
        num_idle++
    fi
}

inline bury(which)
{
    exists[which] = false;
    num_out--;
    num_open--
}

/* pass_on gives to the next what its waiter cannot use any more. */
inline pass_on(me)
{
#ifndef KEEP_A_USELESS_GRANT
    if
    :: grant[me] == CONNECTION -> put_idle(given[me])
    :: grant[me] == PERMIT ->
        num_out--;
        num_open--
    :: else
    fi;
    settle();
#endif
    grant[me] = NOTHING
}

/* get_grant is the waiting: afterwards there is a grant, or nothing. */
inline get_grant(me)
{
    atomic {
        if
        :: is_bounded = true
        :: is_bounded = false
        fi;
        queue!me;
        settle();
        check();
#ifndef SLEEP_AFTER_UNLOCK
        asleep[me] = (grant[me] == NOTHING);
#endif
        must_sleep = (grant[me] == NOTHING)
    }
    if
    :: must_sleep ->
#ifdef SLEEP_AFTER_UNLOCK
        asleep[me] = true;
#endif
        atomic {
            (woken[me] || is_bounded);
            asleep[me] = false;
            if
            :: grant[me] == NOTHING ->
                assert(is_bounded);
#ifndef LEAVE_WITHOUT_FORGETTING
                queue??eval(me)
#endif
            :: grant[me] != NOTHING && is_bounded -> /* cancelled, or the request's time is over */
                pass_on(me)
            :: grant[me] != NOTHING -> skip
            fi;
            woken[me] = false;
            check()
        }
    :: else
    fi;
    must_sleep = false;
    is_bounded = false
}

/* replace ends a connection that did not pass the look; the place gets the next one, or is dialled. */
inline replace(me)
{
    atomic {
        bury(given[me]);
        if
        :: closed -> grant[me] = CLOSED
        :: !closed && num_idle > 0 -> take_idle(given[me])
        :: !closed && num_idle == 0 ->
            num_open++;
            num_out++;
            grant[me] = PERMIT
        fi;
        check()
    }
}

/* dial turns a permit into a connection, or gives it back. */
inline dial(me)
{
    if
    :: atomic {
            fresh = 0;
            do
            :: exists[fresh] -> fresh++
            :: else -> break
            od;
            exists[fresh] = true;
            given[me] = fresh;
            grant[me] = CONNECTION;
            fresh = 0
        }
    :: atomic {
            skip; /* an `else` right at the front would belong to the outer if */
#ifndef KEEP_A_FAILED_PERMIT
            num_out--;
            num_open--;
#endif
#ifndef FAIL_WITHOUT_SETTLING
            settle();
#endif
            grant[me] = NOTHING;
            check()
        }
    fi
}

inline use(me)
{
    users[given[me]]++;
    assert(users[given[me]] == 1 && exists[given[me]]);
    users[given[me]]--
}

inline come_home(me)
{
    atomic {
        if
        :: put_idle(given[me])
        :: bury(given[me])
        fi;
        settle();
        grant[me] = NOTHING;
        given[me] = 0;
        check()
    }
}

/* redial ends a stale connection and dials in the same place. */
inline redial(me)
{
    atomic {
        exists[given[me]] = false;
        grant[me] = PERMIT;
#ifdef REDIAL_ON_A_NEW_PLACE
        num_open--;
        num_out--;
        settle();
        num_open++;
        num_out++;
#endif
        check()
    };
    dial(me)
}

proctype client(byte me)
{
    byte round, first, fresh;
    bool is_bounded, must_sleep;

    do
    :: round < ROUNDS ->
        round++;
        get_grant(me);
        do
        :: grant[me] == CONNECTION -> /* the look, of one that was idle */
            if
            :: break
            :: replace(me)
            fi
        :: else -> break
        od;
        if
        :: grant[me] == PERMIT -> dial(me)
        :: else
        fi;
        if
        :: grant[me] == CONNECTION ->
            use(me);
            if
            :: skip
            :: redial(me)
            fi
        :: else
        fi;
        if
        :: grant[me] == CONNECTION ->
            use(me);
            come_home(me)
        :: else
        fi;
        grant[me] = NOTHING
    :: else -> break
    od
}

proctype closer()
{
    byte first;

    if
    :: atomic {
            closed = true;
            do
            :: num_idle > 0 ->
                num_idle--;
                exists[idle[num_idle]] = false;
                idle[num_idle] = 0;
                num_open--
            :: else -> break
            od;
#ifndef CLOSE_WITHOUT_SETTLING
            settle();
            check()
#endif
        }
    :: skip /* it is never closed */
    fi
}

init {
    byte i;

    atomic {
        do
        :: i < CLIENTS ->
            run client(i);
            i++
        :: else -> break
        od;
        run closer()
    }
    (_nr_pr == 1);
    assert(len(queue) == 0);
    assert(num_out == 0);
    assert(num_open == num_idle);
    assert(!closed || num_open == 0)
}
