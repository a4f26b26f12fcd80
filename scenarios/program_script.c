// SPDX-License-Identifier: GPL-2.0-only
/*
 * Random scripts: a table that says whose turn it is, and until which event. What is compared on
 * two backends should meet all that either does, so that a script has more kinds of VMs than a
 * race has, and operations that matter to no race: dirty logging, splitting and collapsing, a
 * TD's life from KVM_TDX_INIT_VM to the last descriptor, vCPUs that move.
 */
#include "scenarios/program_priv.h"

#include <string.h>

/* ---- the VM ---- */

/* One of several, the first mostly */
#define PICK(p, often, ...) (program_below(p, 4) ? (often) :			\
	((const char *const[]){ __VA_ARGS__ })[program_below(p,			\
		G_N_ELEMENTS(((const char *const[]){ __VA_ARGS__ })))])

/* An LP for each thread, and another for each vCPU */
static guint lps(const struct program *p)
{
	return 2 * p->vcpus + p->hosts;
}

void program_script_td(struct program *p)
{
	p->built = p->tdx && !program_below(p, 4);
	g_string_append_printf(p->out, "td       %svcpus=%u lps=%u memory=" PROGRAM_MEMORY,
			       p->tdx ? "" : "type=default ", p->vcpus, lps(p));
	g_string_append_printf(p->out, " max-level=%s", program_below(p, 2) ? "2M" : "4K");
	g_string_append_printf(p->out, " nx-huge-pages=%s", program_below(p, 2) ? "on" : "off");
	if (p->built)
		g_string_append(p->out, " state=none");
	if (!p->tdx) {
		g_string_append(p->out, PICK(p, "", " ad=off", " pml=off"));
		g_string_append(p->out, PICK(p, "", " dirty-log=on"));
		g_string_append(p->out, PICK(p, "", " manual-protect=on",
					     " manual-protect=initially-set"));
	}
	g_string_append_c(p->out, '\n');
}

/* A TD that is not there yet is made by ioctls. */
void program_script_init(struct program *p)
{
	if (!p->built)
		return;
	g_string_append(p->out, "    host0: init-vm\n");
	for (guint v = 0; v < p->vcpus; v++)
		g_string_append_printf(p->out, "    vCPU%u: create-vcpu\n    vCPU%u: init-vcpu\n",
				       v, v);
	g_string_append_printf(p->out, "    vCPU0: build %s\n    host0: finalize\n",
			       program_below(p, 2) ? "0x10..0x12" : "0x1ff..0x201");
}

/* ---- operations ---- */

/* Of a thread of the host, what no race needs */
static void more_op(struct program *p)
{
	static const char *const tdx[] = {
		"age 0x10..0x13", "track", "recover-nx", "test-age 0x0..0x400",
	};
	static const char *const other[] = {
		"test-age 0x10..0x13", "collapse " PROGRAM_SLOT, "split 0x10", "split 0x200",
		"log-dirty " PROGRAM_SLOT " on", "log-dirty " PROGRAM_SLOT " off", "get-dirty 0x10",
		"get-dirty 0x10", "clear-dirty 0x0..0x40", "clear-dirty 0x0..0x400",
	};
	guint v = program_below(p, p->vcpus);

	if (!program_below(p, 4))
		g_string_append_printf(p->out, "migrate vCPU%u lp%u", v, program_below(p, 2) ? v :
				       p->vcpus + p->hosts + v);
	else
		g_string_append(p->out, p->tdx ? tdx[program_below(p, G_N_ELEMENTS(tdx))] :
				other[program_below(p, G_N_ELEMENTS(other))]);
}

static char *operation(struct program *p, guint column)
{
	GString *kept = p->out, *op = p->out = g_string_new(NULL);

	if (column >= p->vcpus && !program_below(p, 4))
		more_op(p);
	else if (column >= p->vcpus)
		program_host_op(p);
	else if (program_below(p, 3))
		program_vcpu_op(p);
	else
		g_string_append_printf(op, "run%s times=1", p->tdx ? " memory-fault=convert" : "");
	p->out = kept;
	return g_string_free(op, FALSE);
}

/* ---- where they stop ---- */

/*
 * Events that an operation mostly has, told by its first word; those of its list behind @any a TD
 * alone has.
 */
struct stops {
	const char *words;		/* of the operations, a space behind each */
	guint any;
	const char *events[8];
};

static const struct stops stops[] = {
	{ "fault prefault ", 4, { "lock mmu_lock read", "unlock mmu_lock", "reads mmu_invalidate_seq",
	  "lock mmu_lock read", "call TDH.MEM.PAGE.AUG", "return TDH.MEM.PAGE.AUG",
	  "mirror[0x10] changes", "sept[0x10] changes" } },
	{ "zap punch convert notify ", 2, { "unlock mmu_lock", "lock mmu_lock write",
	  "call TDH.MEM.TRACK", "return TDH.MEM.RANGE.BLOCK", "call TDH.MEM.PAGE.REMOVE",
	  "unlock mmu_lock" } },
	{ "slot log-dirty ", 3, { "return synchronize_srcu", "lock mmu_lock write", "blocked" } },
	{ "recover-nx collapse split clear-dirty get-dirty ", 2, { "unlock mmu_lock",
	  "direct[0x0]@2M changes" } },
	{ "run ", 0, { "call TDH.VP.ENTER", "call TDH.VP.ENTER", "enter", "return TDH.VP.ENTER" } },
};

static guint count(const struct stops *s)
{
	guint n = 0;

	while (n < G_N_ELEMENTS(s->events) && s->events[n])
		n++;
	return n;
}

/* Where an operation may stop; NULL: nowhere, it runs to its end. */
static const char *stop_in(struct program *p, const char *op)
{
	char *word = g_strdup_printf("%.*s ", (int)strcspn(op, " "), op);
	const char *event = NULL;

	for (guint i = 0; i < G_N_ELEMENTS(stops); i++) {
		const struct stops *s = &stops[i];
		const char *at = strstr(s->words, word);
		guint n = p->tdx && program_below(p, 2) ? count(s) : s->any;

		if (n && at && (at == s->words || at[-1] == ' '))
			event = s->events[program_below(p, n)];
	}
	g_free(word);
	return event;
}

/* ---- the table ---- */

static void row(struct program *p, guint column, const char *cell)
{
	guint columns = p->vcpus + p->hosts;

	g_string_append(p->out, "    ");
	for (guint c = 0; c < columns; c++)
		g_string_append_printf(p->out, "%s%s", c == column ? cell : "",
				       c + 1 < columns ? " | " : "\n");
}

/*
 * Two operations of three run alone from end to end, the others stop at an event; so may what has
 * stopped. The table is loose, so that all of it is played whatever comes of it: only a reader of
 * both backends' results knows what should. An operation under way ends before its actor begins
 * another, and nobody is left half-way at the end: past the rows there is only virtual time, which
 * backends do not share.
 */
void program_script(struct program *p, guint ops)
{
	guint columns = p->vcpus + p->hosts;
	char *open[8] = { NULL };	/* what each is in the middle of */

	g_string_append(p->out, "schedule loose\n    ");
	for (guint c = 0; c < columns; c++)
		g_string_append_printf(p->out, c < p->vcpus ? "vCPU%u%s" : "host%u%s",
				       c < p->vcpus ? c : c - p->vcpus,
				       c + 1 < columns ? " | " : "\n");
	for (guint i = 0; i < ops;) {
		guint c = program_below(p, columns);
		gboolean goes_on = open[c] != NULL;
		char *op = goes_on ? g_steal_pointer(&open[c]) : operation(p, c);
		const char *stop = program_below(p, 3) ? NULL : stop_in(p, op);
		char *cell;

		if (stop)
			cell = g_strdup_printf("%s%s.. %s", goes_on ? "" : op, goes_on ? "" : " ",
					       stop);
		else
			cell = g_strdup(goes_on ? ".. end" : op);
		row(p, c, cell);
		if (stop)
			open[c] = g_steal_pointer(&op);
		i += !goes_on;
		g_free(cell);
		g_free(op);
	}
	/* Who has a guest and no `run` would do one past the rows. */
	for (guint v = 0; v < p->vcpus; v++)
		row(p, v, p->tdx ? "run memory-fault=convert times=1" : "run times=1");
	for (guint c = 0; c < columns; c++) {
		row(p, c, ".. end");
		g_free(open[c]);
	}
	if (!program_below(p, 3))	/* the last descriptors close, and all of it goes */
		row(p, p->vcpus, "destroy");
}
