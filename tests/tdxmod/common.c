// SPDX-License-Identifier: GPL-2.0-only
/*
 * Set-up that the module's tests share. The machine model is that of the golden vectors:
 * TDR 0x1000, TDCS 0x2000.., TDVPR of vCPU v at 0x10000 + v * 0x8000, memory 1 GiB.
 */
#include "tests/tdxmod/common.h"

#include <stdlib.h>
#include <string.h>

#include "sim/engine/arena.h"
#include "sim/engine/lp.h"
#include "tdxmod/stepping.h"
#include "tdxmod/versions.h"

struct sim *test_sim(void)
{
	struct sim_options opt = { .phys = 1 << 30, .lps = 3, .packages = 2, .timed = true };
	struct sim *sim = sim_new(&opt);

	assert_non_null(sim);
	return sim;
}

void test_td(struct sim *sim, const struct test_setup *s, struct test_td *td)
{
	struct tdx_module_config cfg = {
		.version = s->version ? s->version : TDX_VERSION_RECORDED,
		.hp_lock_timeout = s->hp_lock_timeout, .dpamt = s->dpamt,
	};
	struct td_build b = {
		.tdr = 0x1000,
		.tdcx = { 0x2000, 0x3000, 0x4000, 0x5000, 0x6000, 0x7000 },
		.levels = s->levels ? s->levels : 4,
		.op_state = s->op_state ? s->op_state : OP_STATE_RUNNABLE,
		.pending_ve_disable = s->pending_ve_disable,
		.notify = s->notify,
		.iommus = s->iommus,
	};

	if (s->dpamt)		/* pairs come from the allocator, the TD has its own places */
		page_reserve(1 << 20);
	assert_true(tdx_module_new(sim, &cfg));
	td->tdr = td_build(sim, &b);
	for (u32 v = 0; v < 3; v++)
		td->tdvpr[v] = vcpu_build(td->tdr, 0x10000 + v * 0x8000);
}

void test_ok(u64 rax)
{
	char buf[80];

	if (rax)
		fail_msg("set-up: %s", status_name(rax, buf, sizeof(buf)));
}

void test_is(u64 rax, u64 want)
{
	char a[80], b[80];

	if (rax != want)
		fail_msg("%s, not %s", status_name(rax, a, sizeof(a)),
			 status_name(want, b, sizeof(b)));
}

struct td_params *test_params(u8 levels, u64 attributes)
{
	struct td_params *p = phys_to_ptr(TEST_PARAMS);

	*p = (struct td_params){
		.attributes = attributes, .xfam = XFAM_FIXED1, .max_vcpus = VCPUS_MAX,
		.eptp_controls = 6 | (levels - 1) << 3, .config_flags = levels == 5,
		.tsc_frequency = 120,
	};
	return p;
}

u64 test_make_vcpu(u64 base, u32 vcpu, enum test_stage to)
{
	u64 tdvpr = base + 0x10000 + vcpu * 0x8000;

	test_ok(call(TDH_VP_CREATE, tdvpr, base + 0x1000, 0, NULL));
	for (u32 i = 1; to > MADE_TDVPR && i < TDVPS_PAGES; i++)
		test_ok(call(TDH_VP_ADDCX, tdvpr + i * PAGE_SIZE, tdvpr, 0, NULL));
	if (to > MADE_TDVPS)
		test_ok(call(TDH_VP_INIT, tdvpr, 0, 0, NULL));
	return tdvpr;
}

void test_make(u64 base, u16 hkid, enum test_stage to, struct test_td *td)
{
	u16 lp = lp_self(), done = 0;

	*td = (struct test_td){ .tdr = base + 0x1000 };
	test_ok(call(TDH_MNG_CREATE, td->tdr, hkid, 0, NULL));
	for (u16 i = 0; to > MADE_TDR && i < lp_count(); i++) {
		if (done >> lp_package(i) & 1)
			continue;
		test_on_lp(i);
		test_ok(call(TDH_MNG_KEY_CONFIG, td->tdr, 0, 0, NULL));
		done |= 1u << lp_package(i);
	}
	test_on_lp(lp);
	for (u32 i = 0; to > MADE_KEYS && i < TDCX_PAGES; i++)
		test_ok(call(TDH_MNG_ADDCX, base + 0x2000 + i * PAGE_SIZE, td->tdr, 0, NULL));
	if (to <= MADE_TDCX)
		return;
	test_params(4, 0);
	test_ok(call(TDH_MNG_INIT, td->tdr, TEST_PARAMS, 0, NULL));
	if (to > MADE_TD)
		td->tdvpr[0] = test_make_vcpu(base, 0, to);
}

void test_on_lp(u16 lp)
{
	sim_self->lp = lp;
}

void test_interrupt(struct tdx_regs *r)
{
	sim_compute(STEPPING_TSC_THRESHOLD + 1);
	assert_true(vmexit_interrupt(lp_ctx_self(), r));
}

char *test_file(const char *name)
{
	const char *root = getenv("TEST_SOURCE_ROOT");
	g_autofree char *path = g_build_filename(root ? root : ".", "tests", "vectors", name,
						 NULL);
	char *text = NULL;

	assert_true(g_file_get_contents(path, &text, NULL, NULL));
	return text;
}

static char **split(const char *line)
{
	GPtrArray *f = g_ptr_array_new();
	GString *s = g_string_new(NULL);
	bool quoted = false;

	for (const char *p = line; *p; p++) {
		if (*p == '"') {
			quoted = !quoted;
		} else if (*p == ',' && !quoted) {
			g_ptr_array_add(f, g_strdup(s->str));
			g_string_set_size(s, 0);
		} else {
			g_string_append_c(s, *p);
		}
	}
	g_ptr_array_add(f, g_string_free(s, FALSE));
	g_ptr_array_add(f, NULL);
	return (char **)g_ptr_array_free(f, FALSE);
}

GPtrArray *test_csv(const char *name)
{
	g_autofree char *text = test_file(name);
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	GPtrArray *rows = g_ptr_array_new_with_free_func((GDestroyNotify)g_strfreev);

	for (char **l = lines; *l; l++) {
		g_strchomp(*l);
		if (**l && **l != '#')
			g_ptr_array_add(rows, split(*l));
	}
	assert_true(rows->len > 1);
	return rows;
}

static void keep(void *ctx, const struct event *ev)
{
	struct record *rec = ctx;

	g_array_append_val(rec->events, *ev);
	if (rec->hook)
		rec->hook(rec, ev);
}

void record_start(struct sim *sim, struct record *rec)
{
	rec->events = g_array_new(FALSE, FALSE, sizeof(struct event));
	trace_listen(sim, keep, rec);
}

void record_stop(struct sim *sim, struct record *rec)
{
	trace_unlisten(sim, keep, rec);
	g_array_unref(rec->events);
	rec->events = NULL;
}

u64 call(u64 leaf, u64 rcx, u64 rdx, u64 r8, struct tdx_regs *out)
{
	struct tdx_regs r = {
		.rax = leaf, .rcx = rcx, .rdx = rdx, .r8 = r8,
		.r9 = NULL_PA, .r10 = NULL_PA, .r11 = NULL_PA,
	};
	u64 rax = seamcall(&r);

	if (out)
		*out = r;
	return rax;
}
