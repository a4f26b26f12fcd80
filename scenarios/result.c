// SPDX-License-Identifier: GPL-2.0-only
/*
 * Life of a result, and the words for its kinds. The trace file is result_io.c.
 * Rests on scenarios/result.h.
 */
#include "scenarios/result.h"

GQuark play_error_quark(void)
{
	return g_quark_from_static_string("septsim-play");
}

struct play_result *play_result_new(void)
{
	struct play_result *r = g_new0(struct play_result, 1);

	r->strings = g_string_chunk_new(4096);
	r->unit = "cycle";
	r->scenario = r->title = r->case_name = r->note = "";
	r->backend = "own";
	r->kvm = r->tdx = r->switches = r->policy = r->costs = r->assumptions = "";
	r->actors = g_array_new(FALSE, TRUE, sizeof(struct play_actor));
	r->events = g_array_new(FALSE, TRUE, sizeof(struct play_event));
	r->violations = g_array_new(FALSE, TRUE, sizeof(struct play_violation));
	r->expects = g_array_new(FALSE, TRUE, sizeof(struct play_expect));
	r->observed = g_array_new(FALSE, TRUE, sizeof(struct play_counter));
	r->counters = g_array_new(FALSE, TRUE, sizeof(struct play_counter));
	r->finals = g_ptr_array_new();
	return r;
}

void play_result_free(struct play_result *r)
{
	if (!r)
		return;
	g_array_free(r->actors, TRUE);
	g_array_free(r->events, TRUE);
	g_array_free(r->violations, TRUE);
	g_array_free(r->expects, TRUE);
	g_array_free(r->observed, TRUE);
	g_array_free(r->counters, TRUE);
	g_ptr_array_free(r->finals, TRUE);
	g_string_chunk_free(r->strings);
	g_free(r);
}

const char *play_result_str(struct play_result *r, const char *s)
{
	return s ? g_string_chunk_insert_const(r->strings, s) : NULL;
}

const char *play_end_name(enum play_end e)
{
	static const char *const names[PLAY_ENDS] = {
		[PLAY_DONE] = "done", [PLAY_VIOLATION] = "violation",
		[PLAY_DEADLOCK] = "deadlock", [PLAY_UNREACHABLE] = "unreachable",
		[PLAY_LIMIT] = "limit", [PLAY_STOPPED] = "stopped",
		[PLAY_FAULT] = "fault", [PLAY_REFUSED] = "refused",
	};

	return e < PLAY_ENDS ? names[e] : "?";
}

const char *play_event_type_name(guint8 type)
{
	static const char *const names[EV_TYPES] = {
		[EV_STEP] = "step", [EV_CALL] = "call", [EV_RETURN] = "return",
		[EV_LOCK] = "lock", [EV_UNLOCK] = "unlock", [EV_BUSY] = "busy",
		[EV_BLOCKED] = "blocked", [EV_ENTER] = "enter", [EV_EXIT] = "exit",
		[EV_KICK] = "kick", [EV_INTERRUPT] = "interrupt", [EV_TIMEOUT] = "timeout",
		[EV_OP_BEGIN] = "begin", [EV_OP_END] = "end", [EV_OWN] = "own",
		[EV_DISOWN] = "disown", [EV_FLUSH] = "flush", [EV_CHECK] = "check",
		[EV_OBSERVE] = "observe", [EV_NOTE] = "note",
	};

	return type < EV_TYPES && names[type] ? names[type] : "?";
}

const char *play_op_name(guint8 op)
{
	static const char *const names[] = {
		[MEM_READ] = "read", [MEM_WRITE] = "write", [MEM_CMPXCHG] = "cmpxchg",
		[MEM_XADD] = "xadd", [MEM_XCHG] = "xchg", [MEM_AND] = "and", [MEM_OR] = "or",
		[MEM_BTS] = "bts", [MEM_BTR] = "btr", [MEM_FENCE] = "fence",
		[MEM_AWAIT] = "await",
	};

	return op < G_N_ELEMENTS(names) ? names[op] : "?";
}
