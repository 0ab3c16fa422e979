/* An origin that cannot be reached, as lib/pool/probe.c, settle.c and lease.c do it: after failures (here
 * one) in a row one thread dials at a time, a pause after the last failure; the oldest waiter sleeps
 * until then, and is told when it becomes the oldest or the time is another; who waited for a dial that
 * failed is told of the failure, unless something may come home. Room may be missing, too.
 *
 * An `atomic` block is what the code does in one go under the lock. A pause is numbered; that it is over
 * is a step of a clock, which may come at any moment. Who has a deadline may find at any moment that it
 * has passed, who has none sleeps until woken, or until the end of the pause it was told of. So a time
 * that nobody is told of shows as a deadlock.
 *
 * Checked: no deadlock, nobody waits while he may dial or could be given something, one dial at a time
 * and none before it is due, no failure told to who came after its dial or while something is open; that
 * all come to an end.
 *
 * Each of these defects must be found when it is planted:
 * Plant: LEAVE_AND_TELL_NOBODY
 * Plant: FAIL_AND_TELL_NOBODY
 * Plant: SLEEP_PAST_THE_TIME
 * Plant: SUCCEED_WITHOUT_SETTLING
 * Plant: DIAL_BESIDE_ANOTHER
 * Plant: DIAL_BEFORE_IT_IS_DUE
 * Plant: SHARE_WITH_WHO_CAME_LATER
 * Plant: SHARE_WHILE_SOMETHING_IS_OPEN
 * Plant: WAKE_WITHOUT_SETTLING
 * Plant: SLEEP_UNTIL_NOW */

#ifndef ROUNDS
#define ROUNDS 2
#endif
#define CLIENTS 3
#define PLACES  2

#define NOTHING    0
#define CONNECTION 1
#define PERMIT     2
#define FAILED     3

chan queue = [CLIENTS] of {byte}; /* waiters, oldest first */
byte grant[CLIENTS];
byte told[CLIENTS]; /* the pause whose end it knows */
bool asleep[CLIENTS];
bool woken[CLIENTS];
bool hears[CLIENTS]; /* it waited when the dial under way began */
bool probes[CLIENTS]; /* its dial was made when it was due */

byte num_idle;
byte num_leased;
byte num_dials;
bool is_on;
bool is_due;
byte pause; /* its number; 0: there was none yet */
byte taken; /* places that another origin has for a while */
byte num_done;

/* The hidden ones carry nothing from one step to the next. */
hidden byte first, i;

#define OPEN     (num_idle + num_leased + num_dials)
#define IS_FULL  (OPEN + taken == PLACES)
#define MAY_DIAL (!is_on || (num_dials == 0 && is_due))

inline check()
{
    assert(OPEN + taken <= PLACES);
    if
    :: len(queue) > 0 ->
        queue?<first>;
        assert(num_idle == 0);
        assert(is_on || IS_FULL);
        assert(!is_on || num_dials > 0 || !asleep[first] || woken[first] || told[first] == pause);
        first = 0
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

/* tell_next wakes the oldest waiter if it does not know when the next dial is due. */
inline tell_next()
{
    if
    :: len(queue) > 0 && is_on && num_dials == 0 ->
        queue?<first>;
        if
        :: asleep[first] && told[first] != pause -> woken[first] = true
        :: else
        fi;
        first = 0
    :: else
    fi
}

/* begin is a permit: who waits now hears of its failure. */
inline begin(whom)
{
#ifndef DIAL_BESIDE_ANOTHER
    assert(!is_on || num_dials == 0);
#endif
    num_dials++;
    probes[whom] = is_on;
    i = 0;
    do
    :: i < CLIENTS ->
        hears[i] = (queue??[eval(i)]);
        i++
    :: else -> break
    od;
    i = 0
}

inline settle()
{
    do
    :: len(queue) > 0 && num_idle > 0 ->
        queue?first;
        num_idle--;
        num_leased++;
        give(first, CONNECTION)
    :: len(queue) > 0 && num_idle == 0 && !IS_FULL &&
#if defined(DIAL_BESIDE_ANOTHER)
       (!is_on || is_due) ->
#elif defined(DIAL_BEFORE_IT_IS_DUE)
       (!is_on || num_dials == 0) ->
#else
       MAY_DIAL ->
#endif
        queue?first;
        assert(!is_on || is_due);
        begin(first);
        assert(!is_on || num_dials == 1);
        give(first, PERMIT)
    :: else -> break
    od;
    first = 0;
    tell_next()
}

/* share tells who waited of a failure. */
inline share(me)
{
    if
#ifdef SHARE_WHILE_SOMETHING_IS_OPEN
    :: true ->
#else
    :: OPEN == 0 ->
#endif
        i = 0;
        do
        :: i < CLIENTS ->
            if
#ifdef SHARE_WITH_WHO_CAME_LATER
            :: queue??[eval(i)] ->
#else
            :: queue??[eval(i)] && hears[i] ->
#endif
                assert(hears[i] && OPEN == 0);
                queue??eval(i);
                give(i, FAILED)
            :: else
            fi;
            i++
        :: else -> break
        od;
        i = 0
    :: else
    fi
}

/* wake is what a waiter does that was woken or whose time has come, without a grant. */
inline wake()
{
    woken[me] = false;
#ifndef WAKE_WITHOUT_SETTLING
    settle()
#endif
}

/* doze lets a waiter sleep; who is the oldest learns until when. */
inline doze()
{
    queue?<first>;
    timed = false;
    if
    :: first == me && is_on && num_dials == 0 ->
        told[me] = pause;
#ifdef SLEEP_UNTIL_NOW
        timed = true
#elif !defined(SLEEP_PAST_THE_TIME)
        timed = !is_due /* when it is, a place is what it waits for */
#endif
    :: else
    fi;
    first = 0;
    asleep[me] = true
}

#define TIME_HAS_COME (timed && (told[me] != pause || is_due))

inline get_grant()
{
    atomic {
        queue!me;
        hears[me] = false;
        told[me] = 0;
        settle();
        if
        :: grant[me] == NOTHING -> doze()
        :: else
        fi;
        check()
    };
    do
    :: atomic {
            asleep[me] && (woken[me] || TIME_HAS_COME) ->
            asleep[me] = false;
            if
            :: grant[me] == NOTHING -> wake()
            :: else -> woken[me] = false
            fi;
            if
            :: grant[me] == NOTHING -> doze()
            :: else
            fi;
            check()
        }
    :: atomic {
            asleep[me] && is_bounded && !woken[me] ->
            asleep[me] = false;
            queue??eval(me);
#ifndef LEAVE_AND_TELL_NOBODY
            tell_next();
#endif
            check();
            break
        }
    :: !asleep[me] -> break
    od;
    timed = false;
    told[me] = 0
}

/* dial ends in one of three ways; the caller's own says nothing of the origin. */
inline dial()
{
    if
    :: atomic {
            num_dials--;
            num_leased++;
            is_on = false;
            is_due = false;
            grant[me] = CONNECTION;
#ifndef SUCCEED_WITHOUT_SETTLING
            settle();
#endif
            check()
        }
    :: atomic {
            num_failures > 0 ->
            num_failures--;
            num_dials--;
            grant[me] = NOTHING;
            if
            :: probes[me] -> share(me)
            :: else
            fi;
            is_on = true;
            is_due = false;
            pause++;
#ifndef FAIL_AND_TELL_NOBODY
            settle();
#endif
            check()
        }
    :: atomic {
            is_bounded ->
            num_dials--;
            grant[me] = NOTHING;
            settle();
            check()
        }
    fi
}

proctype client(byte me)
{
    byte round;
    byte num_failures = 2; /* of its dials, at most: else an origin may fail for ever */
    bool is_bounded = (me == 1);
    bool timed;

    do
    :: round < ROUNDS ->
        if
        :: me == 0 -> round++
        :: else -> round = ROUNDS
        fi;
        get_grant();
        if
        :: grant[me] == PERMIT -> dial()
        :: else
        fi;
        if
        :: grant[me] == CONNECTION ->
            atomic {
                num_leased--;
                if
                :: num_idle++
                :: true /* it died */
                fi;
                grant[me] = NOTHING;
                settle();
                check()
            }
        :: else
        fi;
        grant[me] = NOTHING;
        probes[me] = false
    :: else -> break
    od;
    num_done++
}

/* other is another origin, for which max_total holds as well. */
proctype other()
{
    if
    :: atomic { OPEN == 0 && is_on -> taken = PLACES };
        atomic {
            taken = 0;
            settle();
            check()
        }
    :: true
    fi
}

/* The clock ends pauses. */
active proctype clock()
{
end:
    do
    :: atomic { is_on && !is_due -> is_due = true }
    od
}

init {
    atomic {
        run client(0);
        run client(1);
        run client(2);
        run other()
    }
    (num_done == CLIENTS);
    assert(len(queue) == 0);
    assert(num_leased + num_dials == 0)
}

/* Nobody waits for ever, and nobody is woken in vain for ever. */
ltl ends { <> (num_done == CLIENTS) }
