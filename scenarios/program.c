// SPDX-License-Identifier: GPL-2.0-only
/*
 * Random scenarios. Few gfns, so that threads meet; a neighbour in the same table and one in
 * another, so that tables are linked; yields and kicks, so that walks begin again. Rests on
 * docs/language.md: what a real KVM refuses (a slot moved in a TD, dirty logging there) is not
 * written, and a guest never tries again without end.
 */
#include "scenarios/program_priv.h"

/* One table; two neighbours in it, one at its end, one in the next table. */
static const char *const gfns[] = { "0x10", "0x11", "0x12", "0x1ff", "0x200" };
static const char *const ranges[] = { "0x10", "0x11", "0x10..0x13", "0x1ff..0x201", "0x200", "0x0..0x400" };

guint program_below(struct program *p, guint n)
{
	return rng_below(&p->rng, n);
}

const char *program_gfn(struct program *p)
{
	/* The first is the one that all want. */
	return gfns[program_below(p, 3) ? program_below(p, 2) : program_below(p, G_N_ELEMENTS(gfns))];
}

const char *program_range(struct program *p)
{
	return ranges[program_below(p, 4) ? program_below(p, 3) : program_below(p, G_N_ELEMENTS(ranges))];
}

static void need_resched(struct program *p)
{
	guint who = program_below(p, p->vcpus + p->hosts);

	if (who < p->vcpus)
		g_string_append_printf(p->out, "need-resched vCPU%u", who);
	else
		g_string_append_printf(p->out, "need-resched host%u", who - p->vcpus);
}

/* What any thread of the host may do to a TD. */
static void host_op_tdx(struct program *p)
{
	switch (program_below(p, 16)) {
	case 0: case 1: case 2:
		g_string_append_printf(p->out, "zap %s", program_range(p));
		break;
	case 3: case 4: case 5:
		g_string_append_printf(p->out, "punch %s", program_range(p));
		break;
	case 6: case 7:
		g_string_append_printf(p->out, "convert %s shared", program_range(p));
		break;
	case 8: case 9:
		g_string_append_printf(p->out, "convert %s private", program_range(p));
		break;
	case 10:
		g_string_append_printf(p->out, "notify %s", program_range(p));
		break;
	case 11: case 12:
		need_resched(p);
		break;
	case 13:
		g_string_append(p->out, "slot delete " PROGRAM_SLOT);
		break;
	case 14:
		g_string_append(p->out, "slot add " PROGRAM_SLOT);
		break;
	default:
		g_string_append(p->out, program_below(p, 2) ? "kick" : "rcu-quiesce");
		break;
	}
}

static void host_op_default(struct program *p)
{
	switch (program_below(p, 14)) {
	case 0: case 1: case 2:
		g_string_append_printf(p->out, "zap %s", program_range(p));
		break;
	case 3: case 4: case 5:
		g_string_append_printf(p->out, "notify %s", program_range(p));
		break;
	case 6:
		g_string_append_printf(p->out, "age %s", program_range(p));
		break;
	case 7: case 8:
		g_string_append(p->out, "recover-nx");
		break;
	case 9: case 10:
		need_resched(p);
		break;
	case 11:
		g_string_append(p->out, "slot delete " PROGRAM_SLOT);
		break;
	case 12:
		g_string_append(p->out, "slot add " PROGRAM_SLOT);
		break;
	default:
		g_string_append(p->out, program_below(p, 2) ? "kick" : "rcu-quiesce");
		break;
	}
}

void program_host_op(struct program *p)
{
	if (p->tdx)
		host_op_tdx(p);
	else
		host_op_default(p);
}

/* What a vCPU's thread does without a guest. */
void program_vcpu_op(struct program *p)
{
	if (program_below(p, 4))
		g_string_append_printf(p->out, "fault %s%s", program_gfn(p),
				       p->tdx && !program_below(p, 6) ? " shared" : "");
	else
		g_string_append_printf(p->out, "prefault %s", program_range(p));
}

static void guest_op(struct program *p)
{
	if (!p->tdx) {
		static const char *const how[] = { "read", "write", "exec" };

		g_string_append_printf(p->out, "access %s %s", program_gfn(p), how[program_below(p, 3)]);
		return;
	}
	switch (program_below(p, 8)) {
	case 0: case 1: case 2:
		g_string_append_printf(p->out, "accept %s", program_gfn(p));
		break;
	case 3: case 4:
		g_string_append_printf(p->out, "access %s", program_gfn(p));
		break;
	case 5:
		g_string_append_printf(p->out, "tdcall TDG.MEM.PAGE.ATTR.RD gpa=%s*4096", program_gfn(p));
		break;
	case 6:
		g_string_append(p->out, "vmcall");
		break;
	default:
		g_string_append_printf(p->out, "access %s shared", program_gfn(p));
		break;
	}
}

static void race_td(struct program *p)
{
	if (p->tdx)
		g_string_append_printf(p->out, "td       vcpus=%u lps=%u memory=" PROGRAM_MEMORY "\n",
				       p->vcpus, p->vcpus + p->hosts);
	else
		g_string_append_printf(p->out, "td       type=default vcpus=%u lps=%u memory="
				       PROGRAM_MEMORY " max-level=%s nx-huge-pages=%s\n", p->vcpus,
				       p->vcpus + p->hosts, program_below(p, 2) ? "2M" : "4K",
				       program_below(p, 2) ? "on" : "off");
}

static void guests(struct program *p, guint longest)
{
	for (guint v = 0; v < p->vcpus; v++) {
		/* Tried again without end, a TDCALL ends the VM when its deadline has passed. */
		g_string_append_printf(p->out, "guest vCPU%u\n", v);
		if (p->tdx)
			g_string_append(p->out, "    on-busy count\n");
		for (guint n = 1 + program_below(p, longest); n; n--) {
			g_string_append(p->out, "    ");
			guest_op(p);
			g_string_append_c(p->out, '\n');
		}
		g_string_append(p->out, p->tdx ? "    vmcall\n" : "    halt\n");
	}
}

static void init(struct program *p)
{
	guint n = program_below(p, 4);

	g_string_append(p->out, "    vCPU0: fault 0x11\n");
	while (n--)
		g_string_append_printf(p->out, "    vCPU%u: fault %s\n", program_below(p, p->vcpus), program_gfn(p));
}

/* ---- races: a few operations each ---- */

static void actors(struct program *p)
{
	for (guint v = 0; v < p->vcpus; v++) {
		g_string_append_printf(p->out, "actor vCPU%u\n", v);
		for (guint n = program_below(p, 3); n; n--) {
			g_string_append(p->out, "    ");
			program_vcpu_op(p);
			g_string_append_c(p->out, '\n');
		}
		g_string_append_printf(p->out, "    run%s times=%u\n",
				       p->tdx ? " memory-fault=convert" : "", 2 + program_below(p, 3));
	}
	for (guint h = 0; h < p->hosts; h++) {
		g_string_append_printf(p->out, "actor host%u\n", h);
		for (guint n = 1 + program_below(p, 3); n; n--) {
			g_string_append(p->out, "    ");
			program_host_op(p);
			g_string_append_c(p->out, '\n');
		}
	}
}

/* The first that is drawn of a seed */
static gboolean draws_td(struct program *p, guint64 seed)
{
	rng_seed(&p->rng, seed);
	return program_below(p, 4) > 0;
}

gboolean program_is_td(guint64 seed)
{
	return draws_td(&(struct program){ 0 }, seed);
}

GString *program_random(enum program_kind kind, guint64 seed, guint ops, const char *kvm)
{
	struct program p = { .out = g_string_new(NULL) };

	p.tdx = draws_td(&p, seed);
	p.vcpus = 2 + (program_below(&p, 3) == 0);
	p.hosts = 1 + program_below(&p, 2);
	g_string_append_printf(p.out, "title    random operations %" G_GUINT64_FORMAT "\n", seed);
	if (kind == PROGRAM_SCRIPT)
		program_script_td(&p);
	else
		race_td(&p);
	if (kvm)
		g_string_append_printf(p.out, "variant  kvm=%s%s\n", kvm,
				       kind == PROGRAM_SCRIPT ? " tdx=1.5.34" : "");
	g_string_append_c(p.out, '\n');
	guests(&p, kind == PROGRAM_SCRIPT ? 6 : 3);
	g_string_append(p.out, "\ninit\n");
	if (kind == PROGRAM_SCRIPT)
		program_script_init(&p);
	init(&p);
	g_string_append_c(p.out, '\n');
	if (kind == PROGRAM_SCRIPT)
		program_script(&p, ops);
	else
		actors(&p);
	return p.out;
}
