/* Several pools under one max_total, as lib/pool/settle.c and line.c do it: origins that have used the
 * total up stand in line, halves and idle connections of others give way, a connection that comes home serves its
 * own origin, but only KEPT grants in a row go past the first origin in line that has places.
 *
 * What happens within one pool, looks, redials and closing, is in handoff.pml, how dials are overtaken in
 * overtake.pml; here pools have no bound of their own, and a dial that finds a connection idle is
 * overtaken by it. An `atomic` block is what the code does in one go under the lock. Who has a deadline may
 * find at any moment that it has passed, who has none sleeps until woken.
 *
 * Checked: no deadlock, never more places than there are, nobody waiting while there is something to
 * give, nobody in line without a waiter nor a waiter without a pool in line, and no origin passed over
 * more than PASSED_MAX times while it waits with the same waiter in front.
 *
 * Each of these defects must be found when it is planted:
 * Plant: SETTLE_ONE_POOL_ONLY
 * Plant: KEEP_FOR_EVER
 * Plant: LEAVE_AND_STAY_IN_LINE
 * Plant: EVICT_AND_KEEP_THE_PLACE
 * Plant: FAIL_WITHOUT_SETTLING
 * Plant: KEEP_HALVES
 * Plant: IGNORE_THE_TOTAL */

#ifndef ROUNDS
#define ROUNDS 2
#endif
#define POOLS   2
#define CLIENTS 3 /* the first two in pool 0 */
#define KEPT 1
#ifndef PASSED_MAX
#define PASSED_MAX 2 /* KEPT, and one that went to the other in its turn */
#endif

#define NOTHING    0
#define CONNECTION 1
#define PERMIT     2

#define NO_LINE 0
#define STARVED 1
#define HUNGRY  2

#define NOBODY 255

byte held;  /* places of pool 1 that never come home: a long download */
#define total 2

typedef Pool {
    chan queue = [CLIENTS] of {byte};
    byte idle;
    byte halves;
    byte num_open;
    byte in_line;
    byte passed; /* grants to others since it has waited */
}

Pool pools[POOLS];
chan starved = [POOLS] of {byte}; /* next in turn first */
chan hungry = [POOLS] of {byte};
byte passed; /* grants that went past the first of hungry */
byte grant[CLIENTS];
bool asleep[CLIENTS];
bool woken[CLIENTS];

#define OPEN (pools[0].num_open + pools[1].num_open)
#define IDLE (pools[0].idle + pools[1].idle)
#define HALVES (pools[0].halves + pools[1].halves)

/* The hidden ones carry nothing from one step to the next. */
hidden byte first, next, who, where, got;

inline check()
{
    assert(OPEN <= total);
    assert(len(starved) + len(hungry) == (len(pools[0].queue) > 0) + (len(pools[1].queue) > 0));
    assert(len(pools[0].queue) + len(pools[1].queue) == 0 || (IDLE + HALVES == 0 && OPEN == total));
    assert(pools[0].passed <= PASSED_MAX && pools[1].passed <= PASSED_MAX)
}

inline line_up(p)
{
    if
    :: len(pools[p].queue) == 0 -> where = NO_LINE
    :: len(pools[p].queue) > 0 && pools[p].num_open == 0 -> where = STARVED
    :: else -> where = HUNGRY
    fi;
    if
    :: where != pools[p].in_line ->
        if
        :: pools[p].in_line == STARVED -> starved??eval(p)
        :: pools[p].in_line == HUNGRY -> hungry??eval(p)
        :: else
        fi;
        if
        :: where == STARVED -> starved!p
        :: where == HUNGRY -> hungry!p
        :: else
        fi;
        if
        :: pools[p].in_line == NO_LINE || where == NO_LINE -> pools[p].passed = 0
        :: else
        fi;
        pools[p].in_line = where
    :: else
    fi;
    where = 0
}

inline line_first()
{
    if
    :: len(starved) == 0 && len(hungry) == 0 -> first = NOBODY
    :: len(hungry) > 0 && (len(starved) == 0 || passed >= KEPT) -> hungry?<first>
    :: else -> starved?<first>
    fi
}

/* evict ends a half, else the idle connection, of whichever pool has one. */
inline evict()
{
    if
    :: pools[0].halves > 0 ->
        pools[0].halves--;
        pools[0].num_open--
    :: pools[0].halves == 0 && pools[1].halves > 0 ->
        pools[1].halves--;
        pools[1].num_open--
    :: HALVES == 0 && pools[0].idle > 0 ->
        pools[0].idle--;
#ifndef EVICT_AND_KEEP_THE_PLACE
        pools[0].num_open--
#endif
    :: else ->
        pools[1].idle--;
#ifndef EVICT_AND_KEEP_THE_PLACE
        pools[1].num_open--
#endif
    fi
}

/* granted moves the turn on. */
inline granted(p)
{
    pools[p].passed = 0;
    if
    :: len(pools[1 - p].queue) > 0 -> pools[1 - p].passed++
    :: else
    fi;
    first = NOBODY;
    if
    :: len(hungry) > 0 -> hungry?<first>
    :: else
    fi;
    if
    :: first == p -> passed = 0
    #ifndef KEEP_FOR_EVER
    :: first != p && first != NOBODY && passed < KEPT -> passed++
#endif
    :: else
    fi;
    if
    :: pools[p].in_line != NO_LINE && (first == p || got == PERMIT) ->
        if
        :: pools[p].in_line == STARVED -> starved??eval(p)
        :: else -> hungry??eval(p)
        fi;
        pools[p].in_line = NO_LINE;
        line_up(p)
    :: else
    fi
}

/* grant_one gives the oldest waiter of pool `p` something, and says in `got` what. */
inline grant_one(p)
{
    got = NOTHING;
    if
    :: len(pools[p].queue) > 0 ->
        if
        :: pools[p].idle > 0 ->
            pools[p].idle--;
            got = CONNECTION
        :: pools[p].idle == 0 && pools[p].halves > 0 ->
            pools[p].halves--;
            got = PERMIT
        :: else ->
            if
#ifdef KEEP_HALVES
            :: OPEN == total && HALVES == 0 && IDLE > 0 -> evict()
#else
            :: OPEN == total && IDLE + HALVES > 0 -> evict()
#endif
            :: else
            fi;
            if
#ifdef IGNORE_THE_TOTAL
            :: true ->
#else
            :: OPEN < total ->
#endif
                pools[p].num_open++;
                got = PERMIT
            :: else
            fi
        fi;
        if
        :: got != NOTHING ->
            pools[p].queue?who;
            grant[who] = got;
            if
            :: asleep[who] -> woken[who] = true
            :: else
            fi;
            granted(p);
            who = 0
        :: else
        fi
    :: else
    fi
}

inline settle(p)
{
    line_up(p);
    do
    :: true ->
        line_first();
        next = first;
#ifdef SETTLE_ONE_POOL_ONLY
        next = NOBODY;
#endif
        if
        :: next == NOBODY || next == p -> grant_one(p)
        :: next != NOBODY && next != p && pools[p].idle > 0 && len(starved) == 0 && passed < KEPT ->
            grant_one(p);
            if
            :: got == NOTHING -> grant_one(next)
            :: else
            fi
        :: else ->
            grant_one(next);
            if
            :: got == NOTHING -> grant_one(p)
            :: else
            fi
        fi;
        line_up(p);
        if
        :: got == NOTHING -> break
        :: else
        fi
    od;
    first = 0;
    next = 0;
    got = 0
}

/* give_up is what a waiter does with a grant it cannot use any more. */
inline give_up(me)
{
    if
    :: grant[me] == CONNECTION -> pools[p].idle++
    :: else -> pools[p].num_open--
    fi;
    grant[me] = NOTHING;
    settle(p)
}

inline leave(me)
{
    pools[p].queue??eval(me);
#ifndef LEAVE_AND_STAY_IN_LINE
    line_up(p)
#endif
}

proctype client(byte me)
{
    byte round;
    byte p = me / 2;
    bool is_bounded;

    do
    :: round < ROUNDS ->
        atomic {
            round++;
            if
            :: is_bounded = true
            :: is_bounded = false
            fi;
            pools[p].queue!me;
            settle(p);
            check();
            asleep[me] = (grant[me] == NOTHING)
        }
        if
        :: asleep[me] ->
            atomic {
                (woken[me] || is_bounded);
                asleep[me] = false;
                if
                :: grant[me] == NOTHING -> leave(me)
                :: grant[me] != NOTHING && is_bounded -> give_up(me)
                :: grant[me] != NOTHING -> skip
                fi;
                woken[me] = false;
                check()
            }
        :: else
        fi;
        atomic {
            is_bounded = false;
            if
            :: grant[me] == PERMIT && pools[p].idle > 0 -> /* overtaken */
                pools[p].idle--;
                pools[p].halves++;
                grant[me] = CONNECTION;
                settle(p);
                check()
            :: grant[me] == PERMIT && pools[p].idle == 0 -> grant[me] = CONNECTION
            :: grant[me] == PERMIT -> /* the dial went wrong */
                pools[p].num_open--;
                grant[me] = NOTHING;
#ifndef FAIL_WITHOUT_SETTLING
                settle(p);
#endif
                check()
            :: grant[me] != PERMIT -> skip
            fi
        }
        atomic {
            if
            :: grant[me] == CONNECTION -> pools[p].idle++
            :: grant[me] == CONNECTION -> pools[p].num_open-- /* it died */
            :: grant[me] == NOTHING -> skip
            fi;
            if
            :: grant[me] != NOTHING ->
                grant[me] = NOTHING;
                settle(p);
                check()
            :: else
            fi
        }
    :: else -> break
    od
}

init {
    atomic {
        if
        :: held = 0
        :: held = 1
        fi;
        pools[1].num_open = held;
        run client(0);
        run client(1);
        run client(2)
    }
    (_nr_pr == 1);
    assert(len(starved) + len(hungry) == 0);
    assert(OPEN == IDLE + HALVES + held)
}
