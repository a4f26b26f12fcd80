// SPDX-License-Identifier: GPL-2.0-only
/*
 * Plans of the storm: what each thread does in each round, drawn from a number; and a plan
 * as a scenario file.
 */
#include "tests/kvmmmu/storm.h"

#include <string.h>

#define ROUNDS		24u
#define LIFE_PHASES	5u	/* created, vCPUs, image, run, destroyed */
#define LIFE_ROUNDS	(LIFE_PHASES * 5)

static const char *const modules[] = {
	"tdx=1.5.01", "tdx=1.5.05", "tdx=1.5.28", "tdx=1.5.34", "tdx=2.0.08", "tdx=2.0.18",
};

enum operands {
	NOTHING, RUN, GFN, GFN_KIND, RANGE, RANGE_SHARED, RANGE_PRIVATE, SLOT, SLOT_ON,
	SLOT_START, MOVE, LP, LP_OF_SELF, THREAD,
};

static const struct {
	const char *word;
	u8 operands, td, vm;
} words[STORM_WHATS] = {
#define X(name, word, operands, of, td, vm) [STORM_##name] = { word, operands, td, vm },
	STORM_WORDS(X)
#undef X
};

const char *storm_word(u8 what)
{
	return words[what].word;
}

/* --- drawing ------------------------------------------------------------------------------ */

static u64 draw(u64 *x, u64 n)
{
	*x ^= *x << 13;
	*x ^= *x >> 7;
	*x ^= *x << 17;
	return (*x >> 11) % n;
}

static bool one_in(u64 *x, u64 n)
{
	return !draw(x, n);
}

/* Most are where all meet; some where a moved memslot ends. */
static u16 draw_gfn(u64 *x)
{
	u64 at = one_in(x, 8) ? STORM_FIRST + STORM_SLOT : STORM_FIRST;

	return (u16)(at + draw(x, STORM_NR));
}

static void draw_range(u64 *x, struct storm_op *op)
{
	if (one_in(x, 24)) {	/* a whole table, or everything: what makes user pages huge again */
		op->from = one_in(x, 4) ? 0 : STORM_SLOT;
		op->to = op->from ? 2 * STORM_SLOT : STORM_GFNS;
		return;
	}
	op->from = draw_gfn(x);
	op->to = (u16)(op->from + 1 + draw(x, one_in(x, 2) ? 2 : STORM_NR));
}

static void draw_slot(u64 *x, struct storm_op *op)
{
	op->from = (u16)(draw(x, 3) * STORM_SLOT);
	op->to = (u16)(op->from + STORM_SLOT);
	if (one_in(x, 12)) {
		op->from = 0;
		op->to = STORM_GFNS;
	}
	op->where = (u16)(draw(x, 3) * STORM_SLOT);
}

static void draw_operands(const struct storm_plan *p, u64 *x, struct storm_op *op)
{
	switch (words[op->what].operands) {
	case RUN:
		op->how = (u8)(p->td && !one_in(x, 4));		/* memory-fault=convert */
		op->n = (u16)(1 + draw(x, 3));
		break;
	case GFN_KIND:
		op->how = (u8)(!p->td || one_in(x, 2));		/* shared */
		op->n = (u16)(op->how && p->max_level > 1 && one_in(x, 3));	/* 2M */
		__attribute__((fallthrough));
	case GFN:
		op->from = draw_gfn(x);
		op->to = op->from + 1;
		break;
	case RANGE:
	case RANGE_SHARED:
	case RANGE_PRIVATE:
		draw_range(x, op);
		break;
	case SLOT:
	case SLOT_ON:
	case SLOT_START:
	case MOVE:
		draw_slot(x, op);
		op->how = (u8)draw(x, 2);
		break;
	case LP:
	case LP_OF_SELF:
		op->n = (u16)draw(x, STORM_LPS);
		break;
	case THREAD:
		op->n = (u16)draw(x, p->vcpus);
		break;
	}
}

static u32 weight_of(const struct storm_plan *p, u32 what, bool vcpu)
{
	u32 w = p->td ? words[what].td : words[what].vm;

	/* A vCPU's thread seldom does what the others do; they cannot do what it does. */
	if (what <= STORM_MIGRATE)
		return vcpu ? 12 * w : 0;
	return w;
}

static void draw_op(const struct storm_plan *p, u64 *x, bool vcpu, struct storm_op *op)
{
	u32 sum = 0, what;
	u64 at;

	for (what = 0; what < STORM_WHATS; what++)
		sum += weight_of(p, what, vcpu);
	at = draw(x, sum);
	for (what = 0; at >= weight_of(p, what, vcpu); what++)
		at -= weight_of(p, what, vcpu);
	*op = (struct storm_op){ .what = (u8)what };
	draw_operands(p, x, op);
}

static void draw_insn(const struct storm_plan *p, u64 *x, struct storm_op *in)
{
	static const u8 of_td[] = {
		STORM_READ, STORM_WRITE, STORM_WRITE, STORM_EXEC, STORM_READ, STORM_WRITE,
		STORM_ACCEPT, STORM_ACCEPT, STORM_MAP_GPA, STORM_VMCALL, STORM_ATTR_RD, STORM_HALT,
	};
	static const u8 of_vm[] = {
		STORM_READ, STORM_WRITE, STORM_WRITE, STORM_EXEC, STORM_READ, STORM_HALT,
	};

	*in = (struct storm_op){
		.what = p->td ? of_td[draw(x, ARRAY_SIZE(of_td))] :
				of_vm[draw(x, ARRAY_SIZE(of_vm))],
		.how = (u8)(p->td && one_in(x, 2)),	/* shared */
		.from = draw_gfn(x),
	};
	if (in->what == STORM_EXEC || in->what == STORM_ACCEPT)
		in->how = 0;	/* a TD does not fetch from shared memory */
	in->to = (u16)(in->from + 1 + draw(x, 2));
}

static void draw_guests(const struct storm_plan *p, u64 *x, struct storm_round *r)
{
	for (u32 v = 0; v < p->vcpus; v++) {
		r->ninsns[v] = STORM_INSNS;
		for (u32 i = 0; i < STORM_INSNS; i++)
			draw_insn(p, x, &r->insn[v][i]);
	}
}

bool storm_has_thread(const struct storm_plan *p, u32 t)
{
	return t < STORM_VCPUS ? t < p->vcpus : t - STORM_VCPUS < p->hosts;
}

static void draw_round(const struct storm_plan *p, u64 *x, struct storm_round *r)
{
	for (u32 t = 0; t < STORM_THREADS; t++) {
		if (!storm_has_thread(p, t))
			continue;
		r->nops[t] = (u8)(3 + draw(x, STORM_OPS - 3));
		for (u32 i = 0; i < r->nops[t]; i++)
			draw_op(p, x, t < STORM_VCPUS, &r->op[t][i]);
	}
	draw_guests(p, x, r);
}

static void put(const struct storm_plan *p, u64 *x, struct storm_round *r, u32 t, u32 what)
{
	struct storm_op *op = &r->op[t][draw(x, STORM_OPS)];

	if (r->nops[t] < STORM_OPS)	/* in the place of one, or behind all */
		op = &r->op[t][r->nops[t]++];
	*op = (struct storm_op){ .what = (u8)what };
	draw_operands(p, x, op);
}

/*
 * v6.16 to v6.18 have races in how a TD is built that v6.19 has not (B02, B04, B05, B08: each in
 * scenarios/races), and the storm would find nothing else there: a TD is built by one thread at a
 * time, all of it in the phases before it runs, and no vCPU's creation fails.
 */
static bool builds_alone(const struct storm_plan *p)
{
	return !strcmp(p->kernel, "kvm=v6.16") || !strcmp(p->kernel, "kvm=v6.18");
}

/* At the start of a round's list, in order: what the phase is about; then what was drawn. */
static void draw_life(const struct storm_plan *p, u64 *x, struct storm_round *r, u32 phase)
{
	u32 host = STORM_VCPUS, t;

	if (phase >= 3)
		draw_round(p, x, r);
	r->fresh = !phase;
	r->alone = builds_alone(p) && phase < 3;
	for (t = 0; t < p->vcpus; t++) {
		if (phase == 0 && one_in(x, 3) && !builds_alone(p))
			put(p, x, r, t, STORM_CREATE_VCPU);
		if (phase == 1) {
			put(p, x, r, t, STORM_CREATE_VCPU);
			put(p, x, r, t, STORM_INIT_VCPU);
			if (one_in(x, 4) && !builds_alone(p))
				put(p, x, r, t, STORM_CREATE_VCPU);
			if (one_in(x, 3))
				put(p, x, r, t, STORM_MIGRATE);
		}
		if (phase == 1 || phase == 2) {
			put(p, x, r, t, STORM_BUILD);
			put(p, x, r, t, one_in(x, 2) ? STORM_BUILD : STORM_PREFAULT);
			put(p, x, r, t, one_in(x, 2) ? STORM_RUN : STORM_INIT_VCPU);
		}
		if (phase == 4 && one_in(x, 2))
			put(p, x, r, t, STORM_CLOSE);
	}
	for (t = host; t < host + p->hosts; t++) {
		if (phase == 0 || (one_in(x, 8) && !builds_alone(p)))
			put(p, x, r, t, STORM_INIT_VM);
		if (phase == 1 || phase == 2) {
			put(p, x, r, t, one_in(x, 2) ? STORM_PUNCH : STORM_NOTIFY);
			put(p, x, r, t, one_in(x, 2) ? STORM_TO_SHARED : STORM_TO_PRIVATE);
			put(p, x, r, t, one_in(x, 2) ? STORM_SLOT_DELETE : STORM_SLOT_ADD);
		}
		if (phase == 2 ? builds_alone(p) || one_in(x, 4) : phase == 3)
			put(p, x, r, t, STORM_FINALIZE);
		if (phase == 4 && one_in(x, 2))
			put(p, x, r, t, STORM_DESTROY);
	}
	if (phase == 3 || phase == 1)
		return;
	draw_guests(p, x, r);
}

/* Two memslots, and place for a third */
static void split_memory(struct storm_round *r)
{
	u32 t = STORM_VCPUS;

	r->nops[t] = 3;
	r->op[t][0] = (struct storm_op){ .what = STORM_SLOT_DELETE, .to = STORM_GFNS };
	r->op[t][1] = (struct storm_op){ .what = STORM_SLOT_ADD, .to = STORM_SLOT };
	r->op[t][2] = (struct storm_op){ .what = STORM_SLOT_ADD, .from = STORM_SLOT,
					 .to = 2 * STORM_SLOT };
}

struct storm_plan *storm_plan_draw(const char *kernel, u64 n)
{
	struct storm_plan *p = g_new0(struct storm_plan, 1);
	u64 x = (n + 1) * 0x9e3779b97f4a7c15ull;

	for (u32 i = 0; i < 8; i++)
		draw(&x, 2);
	for (u32 i = 0; kernel[i]; i++)		/* no two kernels get the same plans */
		x = x * 31 + (u8)kernel[i];
	p->seed = n + 1;
	p->kernel = kernel;
	p->module = modules[n % ARRAY_SIZE(modules)];
	p->life = n % 5 == 4;
	p->td = p->life || n % 5 < 2;
	p->vcpus = (u16)(2 + draw(&x, STORM_VCPUS - 1));
	p->hosts = (u16)(1 + draw(&x, STORM_HOSTS));
	p->max_level = (u8)(1 + draw(&x, 2));
	p->nx_huge_pages = draw(&x, 2);
	if (!p->td) {
		p->no_ad = one_in(&x, 4);
		p->no_pml = p->no_ad || one_in(&x, 3);
		p->manual_protect = one_in(&x, 3) ? 3 : (u8)draw(&x, 2);
	}
	p->burst = 1u << 3 * draw(&x, 4);
	p->nrounds = p->life ? LIFE_ROUNDS : ROUNDS;
	p->round = g_new0(struct storm_round, p->nrounds);
	if (!p->life)
		split_memory(&p->round[0]);
	for (u32 i = !p->life; i < p->nrounds; i++) {
		if (p->life)
			draw_life(p, &x, &p->round[i], i % LIFE_PHASES);
		else
			draw_round(p, &x, &p->round[i]);
	}
	return p;
}

void storm_plan_free(struct storm_plan *p)
{
	if (p)
		g_free(p->round);
	g_free(p);
}

struct storm_plan *storm_plan_copy(const struct storm_plan *p)
{
	struct storm_plan *q = g_memdup2(p, sizeof(*p));

	q->round = g_memdup2(p->round, p->nrounds * sizeof(*p->round));
	return q;
}

/* --- as a scenario ------------------------------------------------------------------------ */

static const char *thread_name(u32 t)
{
	static const char *const names[STORM_THREADS] = {
		"vCPU0", "vCPU1", "vCPU2", "vCPU3", "host", "user",
	};

	return names[t];
}

static void write_op(const struct storm_op *op, u32 t, FILE *out)
{
	fprintf(out, "%s", words[op->what].word);
	switch (words[op->what].operands) {
	case RUN:
		fprintf(out, " times=%u%s", op->n, op->how ? " memory-fault=convert" : "");
		break;
	case GFN:
	case SLOT_START:
		fprintf(out, " 0x%x", op->from);
		break;
	case GFN_KIND:
		fprintf(out, " 0x%x%s%s", op->from, op->how ? " shared" : " private",
			op->n ? " 2M" : "");
		break;
	case LP:
		fprintf(out, " lp%u", op->n);
		break;
	case LP_OF_SELF:
		fprintf(out, " %s lp%u", thread_name(t), op->n);
		break;
	case THREAD:
		fprintf(out, " %s", thread_name(op->n));
		break;
	case NOTHING:
		break;
	default:
		fprintf(out, " 0x%x..0x%x", op->from, op->to);
	}
	switch (words[op->what].operands) {
	case RANGE_SHARED:
		fprintf(out, " shared");
		break;
	case RANGE_PRIVATE:
		fprintf(out, " private");
		break;
	case SLOT_ON:
		fprintf(out, " %s", op->how ? "on" : "off");
		break;
	case MOVE:
		fprintf(out, " to 0x%x", op->where);
		break;
	default:
		break;
	}
	fputc('\n', out);
}

static void write_insn(const struct storm_plan *p, const struct storm_op *in, FILE *out)
{
	const char *kind = !p->td ? "" : in->how ? " shared" : " private";

	switch (in->what) {
	case STORM_READ:
	case STORM_WRITE:
	case STORM_EXEC:
		fprintf(out, "    access 0x%x %s%s\n", in->from, in->what == STORM_READ ? "read" :
			in->what == STORM_WRITE ? "write" : "exec", kind);
		break;
	case STORM_ACCEPT:
		fprintf(out, "    accept 0x%x..0x%x\n", in->from, in->to);
		break;
	case STORM_MAP_GPA:
		fprintf(out, "    map-gpa 0x%x..0x%x%s\n", in->from, in->to, kind);
		break;
	case STORM_VMCALL:
		fprintf(out, "    vmcall\n");
		break;
	case STORM_ATTR_RD:
		fprintf(out, "    tdcall TDG.MEM.PAGE.ATTR.RD gpa=0x%x000\n", in->from);
		break;
	default:
		fprintf(out, "    halt\n");
	}
}

/* Rounds but the last are history: one after the other, as init lines. */
static void write_ops(const struct storm_plan *p, FILE *out)
{
	const struct storm_round *last = &p->round[p->nrounds - 1];
	bool any = false;
	u32 t, i, k;

	for (k = 0; k + 1 < p->nrounds; k++) {
		for (t = 0; t < STORM_THREADS; t++) {
			for (i = 0; i < p->round[k].nops[t]; i++) {
				fprintf(out, "%s    %s: ", any ? "" : "init\n", thread_name(t));
				any = true;
				write_op(&p->round[k].op[t][i], t, out);
			}
		}
	}
	for (t = 0; t < STORM_THREADS; t++) {
		for (i = 0; i < last->nops[t]; i++) {
			if (!i)
				fprintf(out, "\nactor %s\n", thread_name(t));
			fprintf(out, "    ");
			write_op(&last->op[t][i], t, out);
		}
	}
	for (t = 0; t < p->vcpus; t++) {
		for (i = 0; i < last->ninsns[t]; i++) {
			if (!i)
				fprintf(out, "\nguest %s\n", thread_name(t));
			write_insn(p, &last->insn[t][i], out);
		}
	}
}

void storm_plan_write(const struct storm_plan *p, const char *why, FILE *out)
{
	fprintf(out, "# Met by the storm: %.*s\n", (int)strcspn(why, "\n"), why);
	fprintf(out, "# The schedule: septsim explore --random --executions 100000 --found FILE.scn THIS\n");
	fprintf(out, "title    met by the storm\n");
	fprintf(out, "td       type=%s%s vcpus=%u lps=%u memory=%uM max-level=%s nx-huge-pages=%s",
		p->td ? "tdx" : "default", p->life ? " state=none" : "", p->vcpus, STORM_LPS,
		STORM_GFNS / 256, p->max_level > 1 ? "2M" : "4K", p->nx_huge_pages ? "on" : "off");
	if (!p->td)
		fprintf(out, " ad=%s pml=%s manual-protect=%s", p->no_ad ? "off" : "on",
			p->no_pml ? "off" : "on", !p->manual_protect ? "off" :
			p->manual_protect == 3 ? "initially-set" : "on");
	fprintf(out, "\nvariant  %s %s %s\n\n", p->kernel, p->module, p->mutation ? p->mutation : "");
	write_ops(p, out);
}
