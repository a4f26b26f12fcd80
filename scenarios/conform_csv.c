// SPDX-License-Identifier: GPL-2.0-only
/*
 * Truth tables: every lock primitive on a word (lock_vectors.csv), every state of an S-EPT
 * entry (sept_states.csv), every status code and operand (status_codes.csv), a row at a time on
 * the module's own functions.
 * Rests on docs/conform.md.
 */
#include "scenarios/conform.h"

#include <stdio.h>
#include <string.h>

#include "sim/engine/arena.h"
#include "sim/engine/check.h"
#include "sim/engine/sim.h"
#include "sim/engine/undo.h"
#include "tdxmod/lock.h"
#include "tdxmod/sept.h"
#include "tdxmod/status.h"

#define LOCK_HEADER	"lock,op,side,before_raw,after_raw,result"
#define STATES_HEADER	"state,encoding_7bit,raw_mask,"

enum conform_table conform_csv(const char *header)
{
	static const char *const elsewhere[] = {
		"lock,op,side,path,step_no,", "flow,step_no,action,object,",
		"flow,check_no,check,result,", "sequence,what,lp,rax,",
		"case,lp,kind,rax,",
	};

	if (!strcmp(header, LOCK_HEADER))
		return CONFORM_LOCKS;
	if (!strcmp(header, "kind,name,value"))
		return CONFORM_STATUSES;
	for (u32 i = 0; i < G_N_ELEMENTS(elsewhere); i++)
		if (g_str_has_prefix(header, elsewhere[i]))
			return CONFORM_ELSEWHERE;
	return g_str_has_prefix(header, STATES_HEADER) ? CONFORM_SEPT_STATES : CONFORM_NO_TABLE;
}

static bool wrong(GError **error, const char *what, const char *which)
{
	g_set_error(error, g_quark_from_static_string("septsim-conform"), 0, "%s \"%s\"", what,
		    which);
	return false;
}

static bool number(const char *text, u64 *out)
{
	char *end;

	*out = g_ascii_strtoull(text, &end, 0);
	return *text && !*end;
}

static void report(const struct conform_sink *sink, const char *flow, const char *result,
		   const char *field, const char *expected, const char *got, bool *agrees)
{
	struct conform_difference d = {
		.op = -1, .flow = flow, .field = field, .expected = expected, .got = got,
	};

	if (!strcmp(expected, got))
		return;
	*agrees = false;
	sink->differs(sink->ctx, &d);
}

/* lock_vectors.csv */

struct primitive {
	const char *lock, *op, *side;
	u64 (*run)(void *l);
};

#define TRY(name, call) static u64 name(void *l) { return call; }
#define DO(name, call) static u64 name(void *l) { call; return TDX_SUCCESS; }
TRY(p_mutex_acquire, mutex8_acquire(l, "lock"))
DO(p_mutex_release, mutex8_release(l, "lock"))
TRY(p_sharex_acquire_sh, sharex_acquire_sh(l, "lock"))
TRY(p_sharex_acquire_ex, sharex_acquire_ex(l, "lock"))
DO(p_sharex_release_sh, sharex_release_sh(l, "lock"))
DO(p_sharex_release_ex, sharex_release_ex(l, "lock"))
TRY(p_sharex_promote, sharex_promote(l, "lock"))
DO(p_sharex_demote, sharex_demote(l, "lock"))
TRY(p_hp_acquire_sh_host, sharex_hp_acquire_sh(l, SIDE_HOST, "lock"))
TRY(p_hp_acquire_sh_guest, sharex_hp_acquire_sh(l, SIDE_GUEST, "lock"))
TRY(p_hp_acquire_ex_host, sharex_hp_acquire_ex(l, SIDE_HOST, "lock"))
TRY(p_hp_acquire_ex_guest, sharex_hp_acquire_ex(l, SIDE_GUEST, "lock"))
DO(p_hp_release_sh, sharex_hp_release_sh(l, "lock"))
DO(p_hp_release_ex, sharex_hp_release_ex(l, "lock"))
TRY(p_hp_promote, sharex_hp_promote(l, "lock"))
TRY(p_sept_acquire_host, sept_lock_host(l))
TRY(p_sept_acquire_guest, sept_lock_guest(l))
DO(p_sept_release, sept_unlock(l))

static const struct primitive primitives[] = {
	{ "mutex", "acquire", "-", p_mutex_acquire },
	{ "mutex", "release", "-", p_mutex_release },
	{ "sharex", "acquire_sh", "-", p_sharex_acquire_sh },
	{ "sharex", "acquire_ex", "-", p_sharex_acquire_ex },
	{ "sharex", "release_sh", "-", p_sharex_release_sh },
	{ "sharex", "release_ex", "-", p_sharex_release_ex },
	{ "sharex", "promote", "-", p_sharex_promote },
	{ "sharex", "demote", "-", p_sharex_demote },
	{ "sharex_hp", "acquire_sh", "host", p_hp_acquire_sh_host },
	{ "sharex_hp", "acquire_sh", "guest", p_hp_acquire_sh_guest },
	{ "sharex_hp", "acquire_ex", "host", p_hp_acquire_ex_host },
	{ "sharex_hp", "acquire_ex", "guest", p_hp_acquire_ex_guest },
	{ "sharex_hp", "release_sh", "-", p_hp_release_sh },
	{ "sharex_hp", "release_ex", "-", p_hp_release_ex },
	{ "sharex_hp", "promote", "-", p_hp_promote },
	{ "sept", "acquire", "host", p_sept_acquire_host },
	{ "sept", "acquire", "guest", p_sept_acquire_guest },
	{ "sept", "release", "-", p_sept_release },
};

static const struct primitive *primitive_of(char *const *f)
{
	for (u32 i = 0; i < G_N_ELEMENTS(primitives); i++) {
		const struct primitive *p = &primitives[i];

		if (!strcmp(p->lock, f[0]) && !strcmp(p->op, f[1]) && !strcmp(p->side, f[2]))
			return p;
	}
	return NULL;
}

/* The plain kinds say FAIL where the host-priority kinds say OPERAND_BUSY */
static const char *result_name(u64 status, bool fatal, const char *lock)
{
	if (fatal)
		return "FATAL";
	if (status == TDX_SUCCESS)
		return "SUCCESS";
	if (status == TDX_OPERAND_BUSY_HOST_PRIORITY)
		return "OPERAND_BUSY_HOST_PRIORITY";
	return strcmp(lock, "mutex") && strcmp(lock, "sharex") ? "OPERAND_BUSY" : "FAIL";
}

static bool lock_row(char *const *f, const struct conform_sink *sink, GError **error)
{
	const struct primitive *p;
	struct sim *sim;
	bool agrees = true;
	char got[24], want[24];
	u64 before, after, status, *word;

	if (g_strv_length((char **)f) != 6)
		return wrong(error, "a row of six fields is wanted, not", f[0] ? f[0] : "");
	p = primitive_of(f);
	if (!p)
		return wrong(error, "no lock primitive", f[1]);
	if (!number(f[3], &before))
		return wrong(error, "no number", f[3]);
	if (!number(f[4], &after))
		return wrong(error, "no number", f[4]);
	sim = sim_new(&(struct sim_options){ .phys = 1 << 21 });
	if (!sim)
		return wrong(error, "cannot map the world for", f[0]);
	check_tolerate(sim, "module-fatal");
	word = world_alloc(64);
	world_set(*word, before);
	status = p->run(word);
	snprintf(got, sizeof(got), "0x%llx", (unsigned long long)*word);
	snprintf(want, sizeof(want), "0x%llx", (unsigned long long)after);
	report(sink, f[0], f[5], "after_raw", want, got, &agrees);
	report(sink, f[0], f[5], "result", f[5], result_name(status, check_count(sim), f[0]),
	       &agrees);
	sink->ran(sink->ctx, f[0], f[5], agrees);
	sim_free(sim);
	return true;
}

/* sept_states.csv */

/* The 7-bit encoding in the bits of an entry: D, TDEX..TDP, IPAT and PS */
static u64 encoding(u64 raw)
{
	return (raw >> 9 & 1) | (raw >> 53 & 0xf) << 1 | (raw >> 6 & 3) << 5;
}

/* False: there is no such column */
static bool state_value(const char *column, u64 raw, u64 *v)
{
	if (!strcmp(column, "encoding_7bit"))
		*v = encoding(sept_state_bits(sept_state_of(raw)));
	else if (!strcmp(column, "raw_mask"))
		*v = sept_state_bits(sept_state_of(raw));
	else if (!strcmp(column, "public_state"))
		*v = sept_public_state(raw);
	else if (!strcmp(column, "index"))
		*v = sept_state_of(raw);
	else
		return sept_column(column, raw, v);
	return true;
}

static bool state_row(char *const *head, char *const *f, const struct conform_sink *sink,
		      GError **error)
{
	char flow[64], got[24], want[24];
	bool agrees = true;
	u64 raw, v, expected;

	if (g_strv_length((char **)f) != g_strv_length((char **)head))
		return wrong(error, "not as many fields as the header has in", f[0] ? f[0] : "");
	if (!number(f[2], &raw))
		return wrong(error, "no number", f[2]);
	if (sept_state_of(raw) == SEPT_NO_STATE)
		return wrong(error, "the model has no state with the bits", f[2]);
	snprintf(flow, sizeof(flow), "state %s", f[0]);
	report(sink, flow, "", "state", f[0], sept_states[sept_state_of(raw)].name, &agrees);
	/* Bits that are no part of the state must not matter */
	raw |= SEPT_SVE | SEPT_TDEL | SEPT_TDHP | 0x1234000;
	for (u32 c = 1; head[c]; c++) {
		if (!number(f[c], &expected))
			return wrong(error, "no number", f[c]);
		if (!state_value(head[c], raw, &v))
			return wrong(error, "no column", head[c]);
		snprintf(got, sizeof(got), "0x%llx", (unsigned long long)v);
		snprintf(want, sizeof(want), "0x%llx", (unsigned long long)expected);
		report(sink, flow, "", head[c], want, got, &agrees);
	}
	sink->ran(sink->ctx, "S-EPT state", f[0], agrees);
	return true;
}

/* status_codes.csv */

static bool status_value_of(const char *kind, const char *name, u64 *v)
{
	const struct operand_row *o;
	u32 n;

	if (!strcmp(kind, "status")) {
		const struct status_row *s = status_table(&n);

		for (u32 i = 0; i < n; i++) {
			*v = s[i].value;
			if (!strcmp(s[i].name, name))
				return true;
		}
		return false;
	}
	o = operand_table(&n);
	for (u32 i = 0; i < n; i++) {
		*v = o[i].id;
		if (g_str_has_prefix(name, "OPERAND_ID_") && !strcmp(o[i].name, name + 11))
			return true;
	}
	return false;
}

static bool status_row(char *const *f, const struct conform_sink *sink, GError **error)
{
	char got[24] = "none", want[24];
	bool agrees = true;
	u64 v, expected;

	if (g_strv_length((char **)f) != 3)
		return wrong(error, "a row of three fields is wanted, not", f[0] ? f[0] : "");
	if (!number(f[2], &expected))
		return wrong(error, "no number", f[2]);
	if (status_value_of(f[0], f[1], &v))
		snprintf(got, sizeof(got), "0x%llx", (unsigned long long)v);
	snprintf(want, sizeof(want), "0x%llx", (unsigned long long)expected);
	report(sink, f[1], "", "value", want, got, &agrees);
	sink->ran(sink->ctx, "status codes", f[0], agrees);
	return true;
}

bool conform_csv_row(enum conform_table table, const char *header, const char *row,
		     const struct conform_sink *sink, GError **error)
{
	char **head = g_strsplit(header, ",", -1), **f = g_strsplit(row, ",", -1);
	bool ok = table == CONFORM_LOCKS ? lock_row(f, sink, error) :
		  table == CONFORM_STATUSES ? status_row(f, sink, error) :
					      state_row(head, f, sink, error);

	g_strfreev(head);
	g_strfreev(f);
	return ok;
}
