/* Dials that are overtaken, and the halves they leave, as lib/pool/overtake.c, permit.c and half.c do it:
 * who dials is given a connection that comes home while nobody waits, if the dial can still be broken
 * off; the dial keeps its place as a half, which the next permit goes on with. Whoever waits or dials may
 * give up at any point, halves expire, and the pool may be closed.
 *
 * An `atomic` block is what the code does in one go under the lock, or with one atomic instruction;
 * between two of them everybody else may run. Who has a deadline may find at any moment that it has
 * passed; here the second client
 * may have one. What an idle connection is found to be worth, redialling and the like are in handoff.pml.
 *
 * Checked: no deadlock, no connection used by two or in the hands of one who is busy, never more places
 * than there are, nobody waiting while there is something to give, nobody dialling who could be given
 * what is idle, or dialling twice for one place, every half in a place of its own and none in a closed
 * pool; that all come to an end.
 *
 * Each of these defects must be found when it is planted:
 * Plant: KEEP_THE_CONNECTION_IN_VAIN
 * Plant: GIVE_TO_WHO_IS_TOO_FAR
 * Plant: OVERTAKE_BEFORE_WAITERS
 * Plant: PARK_AND_GIVE_THE_PLACE
 * Plant: PARK_WITHOUT_SETTLING
 * Plant: PARK_IN_A_CLOSED_POOL
 * Plant: LEAVE_WITHOUT_LEAVING_THE_LIST
 * Plant: ASK_WITHOUT_A_CONNECTION
 * Plant: TAKE_A_HALF_AND_A_PLACE
 * Plant: EXPIRE_AND_KEEP_THE_PLACE
 * Plant: JOIN_WITHOUT_A_LOOK
 * Plant: DIAL_AGAIN_WHEN_OVERTAKEN */

#ifndef CLIENTS
#define CLIENTS 3
#endif
#define PLACES 2
#ifndef ROUNDS
#define ROUNDS 2 /* of the first client; the others have one */
#endif

#define NOTHING    0
#define CONNECTION 1
#define PERMIT     2
#define CLOSED     3

/* What a dial and who asks it to break off agree on. */
#define OPEN  0
#define ASKED 1
#define SHUT  2

#define NONE 255

chan queue = [CLIENTS] of {byte};    /* waiters, oldest first */
chan diallers = [CLIENTS] of {byte}; /* that can be overtaken, oldest first */
byte grant[CLIENTS];
byte given[CLIENTS];     /* the connection of a grant */
byte overtaker[CLIENTS]; /* the connection that was given to one who dials */
byte dial_state[CLIENTS];
bool asleep[CLIENTS];
bool woken[CLIENTS];

byte idle[PLACES + 1]; /* a stack of connections */
byte num_idle;
byte num_leased;
byte num_dials;
byte num_halves;
byte num_open;
bool exists[PLACES];
bool used[PLACES];
bool closed;

/* The hidden ones carry nothing from one step to the next. */
hidden byte first, which, i;

inline check()
{
    assert(num_open == num_idle + num_leased + num_dials + num_halves);
    assert(num_open <= PLACES);
    assert(!closed || num_idle + num_halves == 0);
    assert(len(queue) == 0 ||
           (!closed && num_idle + num_halves == 0 && num_open == PLACES));
    if
    :: num_idle > 0 && len(diallers) > 0 ->
        i = 0;
        do
        :: i < CLIENTS ->
            assert(!(diallers??[eval(i)]) || dial_state[i] != OPEN);
            i++
        :: else -> break
        od;
        i = 0
    :: else
    fi
}

inline give(whom, what)
{
    grant[whom] = what;
    if
    :: asleep[whom] -> woken[whom] = true
    :: else
    fi
}

inline take_idle(to)
{
    num_idle--;
    to = idle[num_idle];
    idle[num_idle] = 0;
    num_leased++
}

/* overtake gives what no waiter wants to those that dial. */
inline overtake()
{
    do
#ifdef OVERTAKE_BEFORE_WAITERS
    :: len(diallers) > 0 && num_idle > 0 ->
#else
    :: len(queue) == 0 && len(diallers) > 0 && num_idle > 0 ->
#endif
        diallers?first;
        if
#ifdef GIVE_TO_WHO_IS_TOO_FAR
        :: true ->
#else
        :: dial_state[first] == OPEN ->
#endif
            assert(len(queue) == 0); /* who waits comes first */
            dial_state[first] = ASKED;
#ifndef ASK_WITHOUT_A_CONNECTION
            take_idle(overtaker[first])
#endif
        :: else
        fi
    :: else -> break
    od
}

inline settle()
{
#ifdef OVERTAKE_BEFORE_WAITERS
    overtake();
#endif
    do
    :: len(queue) > 0 && closed ->
        queue?first;
        give(first, CLOSED)
    :: len(queue) > 0 && !closed && num_idle > 0 ->
        queue?first;
        take_idle(given[first]);
        give(first, CONNECTION)
    :: len(queue) > 0 && !closed && num_idle == 0 && num_halves > 0 ->
        queue?first;
        num_halves--;
        num_dials++;
#ifdef TAKE_A_HALF_AND_A_PLACE
        num_open++;
#endif
        give(first, PERMIT)
    :: len(queue) > 0 && !closed && num_idle == 0 && num_halves == 0 && num_open < PLACES ->
        queue?first;
        num_open++;
        num_dials++;
        give(first, PERMIT)
    :: else -> break
    od;
    overtake();
    first = 0
}

/* put_idle takes a leased connection home, or ends it when the pool is closed. */
inline put_idle(what)
{
    num_leased--;
    if
    :: closed ->
        exists[what] = false;
        num_open--
    :: else ->
        idle[num_idle] = what;
        num_idle++
    fi
}

/* pass_on gives to the next what its waiter cannot use any more. */
inline pass_on(me)
{
    if
    :: grant[me] == CONNECTION -> put_idle(given[me])
    :: grant[me] == PERMIT ->
        num_dials--;
        num_open--
    :: else
    fi;
    grant[me] = NOTHING;
    settle()
}

/* expire ends a half whose time is over. */
inline expire()
{
    if
    :: num_halves > 0 ->
        num_halves--;
#ifndef EXPIRE_AND_KEEP_THE_PLACE
        num_open--
#endif
    :: true
    fi
}

inline get_grant(me)
{
    atomic {
        if
        :: me == 1 -> is_bounded = true
        :: true
        fi;
        expire();
        queue!me;
        settle();
        check();
        asleep[me] = (grant[me] == NOTHING)
    }
    if
    :: asleep[me] ->
        atomic {
            (woken[me] || is_bounded);
            asleep[me] = false;
            if
            :: grant[me] == NOTHING -> queue??eval(me)
            :: grant[me] != NOTHING && is_bounded -> pass_on(me)
            :: grant[me] != NOTHING -> skip
            fi;
            woken[me] = false;
            check()
        }
    :: else
    fi
}

/* leave takes me out of those that can be overtaken. */
inline leave(me)
{
#ifndef LEAVE_WITHOUT_LEAVING_THE_LIST
    if
    :: diallers??[eval(me)] -> diallers??eval(me)
    :: else
    fi;
#endif
    num_dials--
}

/* break_off ends a dial that was asked to: its thread goes on with the connection, if it wants any. */
inline break_off(me)
{
    leave(me);
    if
    :: is_bounded -> /* given up meanwhile: the half goes as well */
        num_open--;
#ifndef KEEP_THE_CONNECTION_IN_VAIN
        put_idle(overtaker[me]);
#endif
        grant[me] = NOTHING
    :: true ->
        if
#ifdef PARK_IN_A_CLOSED_POOL
        :: true -> num_halves++
#else
        :: !closed -> num_halves++
#endif
#ifdef PARK_AND_GIVE_THE_PLACE
            ;
            num_open--
#endif
        :: true -> num_open-- /* there is nothing to go on with */
        fi;
        given[me] = overtaker[me];
        assert(given[me] != NONE);
        grant[me] = CONNECTION
    fi;
    overtaker[me] = NONE;
#ifndef PARK_WITHOUT_SETTLING
    settle();
#endif
    check()
}

/* fail ends a dial that failed, or that was given up; what has overtaken it makes good for it. */
inline fail(me)
{
    leave(me);
    num_open--;
    grant[me] = NOTHING;
    if
    :: overtaker[me] != NONE && is_bounded -> put_idle(overtaker[me])
    :: overtaker[me] != NONE ->
        given[me] = overtaker[me];
        grant[me] = CONNECTION
    :: else
    fi;
    overtaker[me] = NONE;
    settle();
    check()
}

inline succeed(me)
{
    leave(me);
    assert(overtaker[me] == NONE); /* it does not lie in the hands of one who was busy */
    num_leased++;
    which = 0;
    do
    :: exists[which] -> which++
    :: else -> break
    od;
    exists[which] = true;
    given[me] = which;
    which = 0;
    grant[me] = CONNECTION;
    settle();
    check()
}

/* dial is a dial on a permit: it may be broken off until TCP is up. */
inline dial(me)
{
    atomic {
        dial_state[me] = OPEN;
        diallers!me;
#ifndef JOIN_WITHOUT_A_LOOK
        overtake();
        first = 0;
#endif
        check()
    };
    if
    :: atomic { dial_state[me] == ASKED -> break_off(me) }
    :: atomic { dial_state[me] == OPEN -> dial_state[me] = SHUT };
        atomic { true -> succeed(me) } /* to fail now is the same to the others as to fail before */
    :: atomic { true -> fail(me) }
    fi;
#ifdef DIAL_AGAIN_WHEN_OVERTAKEN
    if
    :: atomic {
            dial_state[me] == ASKED && grant[me] == CONNECTION && !closed && num_halves > 0 ->
            put_idle(given[me]);
            grant[me] = PERMIT;
            num_halves--;
            num_dials++;
            settle()
        }
    :: else
    fi;
#endif
    dial_state[me] = OPEN
}

inline use(me)
{
    atomic {
        assert(exists[given[me]] && !used[given[me]]);
        used[given[me]] = true
    }
}

inline come_home(me)
{
    atomic {
        used[given[me]] = false;
        if
        :: put_idle(given[me])
        :: true -> /* it died */
            exists[given[me]] = false;
            num_leased--;
            num_open--
        fi;
        settle();
        grant[me] = NOTHING;
        given[me] = 0;
        check()
    }
}

proctype client(byte me)
{
    byte round;
    bool is_bounded, has_dialled;

    do
    :: round < ROUNDS ->
        if
        :: me == 0 -> round++
        :: else -> round = ROUNDS
        fi;
        get_grant(me);
        has_dialled = false;
        do
        :: grant[me] == PERMIT ->
            assert(!has_dialled); /* once is enough: nobody is sent back for ever */
            has_dialled = true;
            dial(me)
        :: else -> break
        od;
        has_dialled = false;
        if
        :: grant[me] == CONNECTION ->
            use(me);
            come_home(me)
        :: else
        fi;
        grant[me] = NOTHING;
        given[me] = 0;
        is_bounded = false
    :: else -> break
    od
}

proctype closer()
{
    if
    :: atomic {
            closed = true;
            num_open = num_open - num_halves;
            num_halves = 0;
            do
            :: num_idle > 0 ->
                num_idle--;
                exists[idle[num_idle]] = false;
                idle[num_idle] = 0;
                num_open--
            :: else -> break
            od;
            settle();
            check()
        }
    :: skip /* it is never closed */
    fi
}

init {
    atomic {
        do
        :: i < CLIENTS ->
            overtaker[i] = NONE;
            run client(i);
            i++
        :: else -> break
        od;
        i = 0;
        run closer()
    }
    (_nr_pr == 1);
    assert(len(queue) + len(diallers) == 0);
    assert(num_leased + num_dials == 0);
    assert(num_open == num_idle + num_halves);
    assert(!closed || num_open == 0)
}
