// SPDX-License-Identifier: GPL-2.0-only
/*
 * Random scenarios. Few gfns, so that threads meet; a neighbour in the same table and one in
 * another, so that tables are linked; yields and kicks, so that walks begin again. Rests on
 * docs/language.md: what a real KVM refuses (a slot moved in a TD, dirty logging there) is not
 * written, and a guest never tries again without end.
 */
#include "scenarios/program.h"

#include <string.h>

#include "sim/engine/rng.h"

#define MEMORY	"4M"
#define SLOT	"0..0x400"	/* all of MEMORY */

struct program {
	struct rng rng;
	GString *out;
	gboolean tdx;
	guint vcpus, hosts;
};

/* One table; two neighbours in it, one at its end, one in the next table. */
static const char *const gfns[] = { "0x10", "0x11", "0x12", "0x1ff", "0x200" };
static const char *const ranges[] = { "0x10", "0x11", "0x10..0x13", "0x1ff..0x201", "0x200", "0x0..0x400" };

static guint below(struct program *p, guint n)
{
	return rng_below(&p->rng, n);
}

static const char *gfn(struct program *p)
{
	/* The first is the one that all want. */
	return gfns[below(p, 3) ? below(p, 2) : below(p, G_N_ELEMENTS(gfns))];
}

static const char *range(struct program *p)
{
	return ranges[below(p, 4) ? below(p, 3) : below(p, G_N_ELEMENTS(ranges))];
}

static void need_resched(struct program *p)
{
	guint who = below(p, p->vcpus + p->hosts);

	if (who < p->vcpus)
		g_string_append_printf(p->out, "need-resched vCPU%u", who);
	else
		g_string_append_printf(p->out, "need-resched host%u", who - p->vcpus);
}

/* What any thread of the host may do to a TD. */
static void host_op_tdx(struct program *p)
{
	switch (below(p, 16)) {
	case 0: case 1: case 2:
		g_string_append_printf(p->out, "zap %s", range(p));
		break;
	case 3: case 4: case 5:
		g_string_append_printf(p->out, "punch %s", range(p));
		break;
	case 6: case 7:
		g_string_append_printf(p->out, "convert %s shared", range(p));
		break;
	case 8: case 9:
		g_string_append_printf(p->out, "convert %s private", range(p));
		break;
	case 10:
		g_string_append_printf(p->out, "notify %s", range(p));
		break;
	case 11: case 12:
		need_resched(p);
		break;
	case 13:
		g_string_append(p->out, "slot delete " SLOT);
		break;
	case 14:
		g_string_append(p->out, "slot add " SLOT);
		break;
	default:
		g_string_append(p->out, below(p, 2) ? "kick" : "rcu-quiesce");
		break;
	}
}

static void host_op_default(struct program *p)
{
	switch (below(p, 14)) {
	case 0: case 1: case 2:
		g_string_append_printf(p->out, "zap %s", range(p));
		break;
	case 3: case 4: case 5:
		g_string_append_printf(p->out, "notify %s", range(p));
		break;
	case 6:
		g_string_append_printf(p->out, "age %s", range(p));
		break;
	case 7: case 8:
		g_string_append(p->out, "recover-nx");
		break;
	case 9: case 10:
		need_resched(p);
		break;
	case 11:
		g_string_append(p->out, "slot delete " SLOT);
		break;
	case 12:
		g_string_append(p->out, "slot add " SLOT);
		break;
	default:
		g_string_append(p->out, below(p, 2) ? "kick" : "rcu-quiesce");
		break;
	}
}

static void host_op(struct program *p)
{
	if (p->tdx)
		host_op_tdx(p);
	else
		host_op_default(p);
}

/* What a vCPU's thread does without a guest. */
static void vcpu_op(struct program *p)
{
	if (below(p, 4))
		g_string_append_printf(p->out, "fault %s%s", gfn(p),
				       p->tdx && !below(p, 6) ? " shared" : "");
	else
		g_string_append_printf(p->out, "prefault %s", range(p));
}

static void guest_op(struct program *p)
{
	if (!p->tdx) {
		static const char *const how[] = { "read", "write", "exec" };

		g_string_append_printf(p->out, "access %s %s", gfn(p), how[below(p, 3)]);
		return;
	}
	switch (below(p, 8)) {
	case 0: case 1: case 2:
		g_string_append_printf(p->out, "accept %s", gfn(p));
		break;
	case 3: case 4:
		g_string_append_printf(p->out, "access %s", gfn(p));
		break;
	case 5:
		g_string_append_printf(p->out, "tdcall TDG.MEM.PAGE.ATTR.RD gpa=%s*4096", gfn(p));
		break;
	case 6:
		g_string_append(p->out, "vmcall");
		break;
	default:
		g_string_append_printf(p->out, "access %s shared", gfn(p));
		break;
	}
}

static void heading(struct program *p, guint64 seed, const char *kvm)
{
	g_string_append_printf(p->out, "title    random operations %" G_GUINT64_FORMAT "\n", seed);
	if (p->tdx)
		g_string_append_printf(p->out, "td       vcpus=%u lps=%u memory=" MEMORY "\n",
				       p->vcpus, p->vcpus + p->hosts);
	else
		g_string_append_printf(p->out, "td       type=default vcpus=%u lps=%u memory=" MEMORY
				       " max-level=%s nx-huge-pages=%s\n", p->vcpus,
				       p->vcpus + p->hosts, below(p, 2) ? "2M" : "4K",
				       below(p, 2) ? "on" : "off");
	if (kvm)
		g_string_append_printf(p->out, "variant  kvm=%s tdx=1.5.34\n", kvm);
	g_string_append_c(p->out, '\n');
}

static void guests(struct program *p, guint longest)
{
	for (guint v = 0; v < p->vcpus; v++) {
		/* Tried again without end, a TDCALL ends the VM when its deadline has passed. */
		g_string_append_printf(p->out, "guest vCPU%u\n", v);
		if (p->tdx)
			g_string_append(p->out, "    on-busy count\n");
		for (guint n = 1 + below(p, longest); n; n--) {
			g_string_append(p->out, "    ");
			guest_op(p);
			g_string_append_c(p->out, '\n');
		}
		g_string_append(p->out, p->tdx ? "    vmcall\n" : "    halt\n");
	}
}

static void init(struct program *p)
{
	guint n = below(p, 4);

	g_string_append(p->out, "init\n    vCPU0: fault 0x11\n");
	while (n--)
		g_string_append_printf(p->out, "    vCPU%u: fault %s\n", below(p, p->vcpus), gfn(p));
}

/* ---- races: a few operations each ---- */

static void actors(struct program *p)
{
	for (guint v = 0; v < p->vcpus; v++) {
		g_string_append_printf(p->out, "actor vCPU%u\n", v);
		for (guint n = below(p, 3); n; n--) {
			g_string_append(p->out, "    ");
			vcpu_op(p);
			g_string_append_c(p->out, '\n');
		}
		g_string_append_printf(p->out, "    run%s times=%u\n",
				       p->tdx ? " memory-fault=convert" : "", 2 + below(p, 3));
	}
	for (guint h = 0; h < p->hosts; h++) {
		g_string_append_printf(p->out, "actor host%u\n", h);
		for (guint n = 1 + below(p, 3); n; n--) {
			g_string_append(p->out, "    ");
			host_op(p);
			g_string_append_c(p->out, '\n');
		}
	}
}

/* ---- scripts: whose turn it is, and until which event ---- */

/*
 * Where an operation may stop: events that it mostly has, told by its first word. NULL: none,
 * it runs to its end.
 */
static const char *stop_in(struct program *p, const char *op)
{
	static const char *const fault[] = {
		"lock mmu_lock read", "unlock mmu_lock", "lock mmu_lock read", "call TDH.MEM.PAGE.AUG",
		"return TDH.MEM.PAGE.AUG", "mirror[0x10] changes", "sept[0x10] changes",
	};
	static const char *const zap[] = {
		"unlock mmu_lock", "unlock mmu_lock", "lock mmu_lock write", "call TDH.MEM.TRACK",
		"return TDH.MEM.RANGE.BLOCK", "call TDH.MEM.PAGE.REMOVE",
	};
	static const char *const run[] = {
		"call TDH.VP.ENTER", "call TDH.VP.ENTER", "enter", "return TDH.VP.ENTER",
	};
	gboolean faults = g_str_has_prefix(op, "fault") || g_str_has_prefix(op, "prefault");
	gboolean zaps = g_str_has_prefix(op, "zap") || g_str_has_prefix(op, "punch") ||
			g_str_has_prefix(op, "convert") || g_str_has_prefix(op, "notify");

	/* What only a TD has is behind the first two of each list. */
	if (faults)
		return fault[below(p, p->tdx ? G_N_ELEMENTS(fault) : 2)];
	if (zaps)
		return zap[below(p, p->tdx && !below(p, 2) ? G_N_ELEMENTS(zap) : 2)];
	if (g_str_has_prefix(op, "run") && p->tdx)
		return run[below(p, G_N_ELEMENTS(run))];
	return NULL;
}

static void row(struct program *p, guint column, const char *cell)
{
	guint columns = p->vcpus + p->hosts;

	g_string_append(p->out, "    ");
	for (guint c = 0; c < columns; c++)
		g_string_append_printf(p->out, "%s%s", c == column ? cell : "",
				       c + 1 < columns ? " | " : "\n");
}

static char *operation(struct program *p, guint column)
{
	GString *kept = p->out, *op = p->out = g_string_new(NULL);

	if (column >= p->vcpus)
		host_op(p);
	else if (below(p, 3))
		vcpu_op(p);
	else
		g_string_append_printf(op, "run%s times=1", p->tdx ? " memory-fault=convert" : "");
	p->out = kept;
	return g_string_free(op, FALSE);
}

/*
 * Two operations of three run alone from end to end, the others stop at an event; so may what has
 * stopped. The table is loose, so that all of it is played whatever comes of it: only a reader of
 * both backends' results knows what should. An operation under way ends before its actor begins
 * another, and nobody is left half-way at the end: past the rows there is only virtual time, which
 * backends do not share.
 */
static void script(struct program *p, guint ops)
{
	guint columns = p->vcpus + p->hosts;
	char *open[8] = { NULL };	/* what each is in the middle of */

	g_string_append(p->out, "schedule loose\n    ");
	for (guint c = 0; c < columns; c++)
		g_string_append_printf(p->out, c < p->vcpus ? "vCPU%u%s" : "host%u%s",
				       c < p->vcpus ? c : c - p->vcpus,
				       c + 1 < columns ? " | " : "\n");
	for (guint i = 0; i < ops;) {
		guint c = below(p, columns);
		gboolean goes_on = open[c] != NULL;
		char *op = goes_on ? g_steal_pointer(&open[c]) : operation(p, c);
		const char *stop = below(p, 3) ? NULL : stop_in(p, op);
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
}

/* The first that is drawn of a seed */
static gboolean draws_td(struct program *p, guint64 seed)
{
	rng_seed(&p->rng, seed);
	return below(p, 4) > 0;
}

gboolean program_is_td(guint64 seed)
{
	return draws_td(&(struct program){ 0 }, seed);
}

GString *program_random(enum program_kind kind, guint64 seed, guint ops, const char *kvm)
{
	struct program p = { .out = g_string_new(NULL) };

	p.tdx = draws_td(&p, seed);
	p.vcpus = 2 + (below(&p, 3) == 0);
	p.hosts = 1 + below(&p, 2);
	heading(&p, seed, kvm);
	guests(&p, kind == PROGRAM_SCRIPT ? 6 : 3);
	g_string_append_c(p.out, '\n');
	init(&p);
	g_string_append_c(p.out, '\n');
	if (kind == PROGRAM_SCRIPT)
		script(&p, ops);
	else
		actors(&p);
	return p.out;
}
