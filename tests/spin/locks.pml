/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The module's four lock kinds once more, for another model checker: NPROC actors try TRIES
 * times to acquire one lock, and who gets it releases it and is done. Each atomic operation is
 * one d_step, together with what its actor then knows. compare.py has the definitions:
 * KIND (below), NPROC, TRIES, GUESTS and WRITERS (bits by actor: it is on the guest's side; it
 * wants the lock for itself).
 *
 * Rests on the order of atomic operations in TDX_1.5.01, src/common/helpers/tdx_locks.h; written
 * from that, and not from tdxmod/lock.c, which it is to be compared with.
 */
#define MUTEX		0
#define SHAREX		1
#define SHAREX_HP	2
#define SEPT		3

#define FREE		0
#define SHARED		1
#define EXCLUSIVE	2

/* Where an actor stands: before the first operation of acquire, a later one, of release ... */
#define FIRST		0
#define SECOND		1
#define OTHER		2
#define RELEASE		3
#define RELEASE2	4
#define DONE		5

int word;
byte tried[NPROC];
byte held[NPROC];
bool fatal;		/* a sanity check failed: the module is dead, nobody goes on */

c_decl {
	\#include "note.h"
}

#define BUSY		tried[_pid]++; pc = (tried[_pid] >= TRIES -> DONE : FIRST)
#define GOT(how)	held[_pid] = how; pc = RELEASE
#define GIVEN		held[_pid] = FREE; pc = DONE
#define FATAL		fatal = true
#define ADD(n)		word = (word + (n)) & 65535

#define guest		((GUESTS >> _pid) & 1)
#define writer		((WRITERS >> _pid) & 1)

/* 0 free, 1 taken */
inline mutex()
{
	if
	:: pc == FIRST && old == 0 -> word = 1; GOT(EXCLUSIVE)
	:: pc == FIRST && old != 0 -> BUSY
	:: pc == RELEASE && old == 1 -> word = 0; GIVEN
	:: pc == RELEASE && old != 1 -> FATAL
	fi
}

/* bit 0 exclusive, readers from bit 1; what a refused reader added stays */
inline sharex_writer()
{
	if
	:: pc == FIRST && old == 0 -> word = 1; GOT(EXCLUSIVE)
	:: pc == FIRST && old != 0 -> BUSY
	:: pc == RELEASE ->
		word = 0;
		if
		:: old & 1 -> GIVEN
		:: else -> FATAL
		fi
	fi
}

inline sharex_reader()
{
	if
	:: pc == FIRST ->
		ADD(2);
		if
		:: old & 1 -> BUSY
		:: !(old & 1) && old == 65534 -> FATAL
		:: !(old & 1) && old != 65534 -> GOT(SHARED)
		fi
	:: pc == RELEASE ->
		ADD(-2);
		if
		:: (old & 1) || (old >> 1) == 0 -> FATAL
		:: else -> GIVEN
		fi
	fi
}

/* bit 0 exclusive, bit 1 HOST_PRIORITY, readers from bit 2 */
inline hp_reader()
{
	if
	:: pc == FIRST ->
		ADD(4);
		if
		:: guest && (old & 2) -> pc = SECOND
		:: guest && !(old & 2) && (old & 1) -> BUSY
		:: !guest && (old & 1) -> pc = SECOND
		:: !guest && !(old & 1) && (old & 2) ->
			pc = OTHER;
			wraps = (old >> 2) == 16383
		:: !(old & 3) && (old >> 2) == 16383 -> FATAL
		:: !(old & 3) && (old >> 2) != 16383 -> GOT(SHARED)
		fi
	:: pc == SECOND && guest -> ADD(-4); BUSY	/* it steps back */
	:: pc == SECOND && !guest -> word = word | 2; BUSY
	:: pc == OTHER && !wraps -> word = word & ~2; GOT(SHARED)
	:: pc == OTHER && wraps -> word = word & ~2; FATAL
	:: pc == RELEASE ->
		ADD(-4);
		if
		:: (old & 1) || (old >> 2) == 0 -> FATAL
		:: else -> GIVEN
		fi
	fi
}

inline hp_writer()
{
	if
	:: pc == FIRST && old == 0 -> word = 1; GOT(EXCLUSIVE)
	:: pc == FIRST && old != 0 && guest -> BUSY
	:: pc == FIRST && old == 2 && !guest -> pc = SECOND
	:: pc == FIRST && old != 0 && old != 2 && !guest -> pc = OTHER
	:: pc == SECOND && old == 2 -> word = 1; GOT(EXCLUSIVE)
	:: pc == SECOND && old != 2 -> BUSY
	:: pc == OTHER -> word = word | 2; BUSY
	:: pc == RELEASE && (old & 1) -> pc = RELEASE2
	:: pc == RELEASE && !(old & 1) -> FATAL
	:: pc == RELEASE2 -> word = word & 2; GIVEN
	fi
}

/* bit 0 TDEL, bit 1 TDHP */
inline sept()
{
	if
	:: pc == FIRST ->
		word = word | 1;
		if
		:: (old & 1) && guest -> BUSY
		:: (old & 1) && !guest -> pc = SECOND
		:: !(old & 1) -> pc = OTHER
		fi
	:: pc == SECOND && guest -> word = word & ~1; BUSY
	:: pc == SECOND && !guest -> word = word | 2; BUSY
	:: pc == OTHER && !guest -> word = word & ~2; GOT(EXCLUSIVE)
	:: pc == OTHER && guest && (old & 2) -> pc = SECOND
	:: pc == OTHER && guest && !(old & 2) -> GOT(EXCLUSIVE)
	:: pc == RELEASE && (old & 1) -> pc = RELEASE2
	:: pc == RELEASE && !(old & 1) -> FATAL
	:: pc == RELEASE2 -> word = word & ~1; GIVEN
	fi
}

active [NPROC] proctype actor()
{
	byte pc = FIRST;
	int old;		/* the word before this operation */
	bool wraps;

	do
	:: d_step {
		pc != DONE && !fatal;
		old = word;
#if KIND == MUTEX
		mutex();
#elif KIND == SHAREX
		if
		:: writer -> sharex_writer()
		:: else -> sharex_reader()
		fi;
#elif KIND == SHAREX_HP
		if
		:: writer -> hp_writer()
		:: else -> hp_reader()
		fi;
#else
		sept();
#endif
		old = 0;
		c_code {
			if (now.fatal)
				note_fatal();
			else
				note(now.word, now.tried, now.held, NPROC);
		}
	}
	od
}
