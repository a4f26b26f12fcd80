// SPDX-License-Identifier: GPL-2.0-only
/*
 * septsim list variants: kernels and their switches; versions of the module as a table of
 * switches, each with what it changes, where from, and whether it was read or is inferred.
 */
#include <stdio.h>
#include <string.h>

#include "kvmmmu/kmmu.h"
#include "sim/cli/list.h"
#include "tdxmod/versions.h"

/* on, off: read in the version's own source; with ?: inferred; option: may be turned on */
static const char *setting(const struct tdx_version *v, u32 n)
{
	if (v->options & SWITCH(n))
		return "option";
	if (!(v->read & SWITCH(n)))
		return v->on & SWITCH(n) ? "on?" : "off?";
	return v->on & SWITCH(n) ? "on" : "off";
}

/* As they are read: S10b beside S10 */
static const u8 order[TDX_SWITCHES] = {
	S_TREE_HP, S_FILTER_SHARED, S_PENDING_NO_FAULT, S_PROMOTE_TREE_EX, S_ENTRY_CAS,
	S_ACCEPT_LEAF_LATE, S_UNBLOCK_RCX, S_REMOVED_CHILDREN, S_DEMOTE_NO_INTR,
	S_VP_INIT_TDR_EX, S_SERVTD_TDR_HP, S_DPAMT, S_IOTLB,
};

static void matrix(const struct tdx_version *v, u32 nv)
{
	const struct tdx_switch_row *s = tdx_switch_table();

	for (u32 k = 0; k <= TDX_SWITCHES; k++) {
		u32 n = k ? order[k - 1] : 0;
		GString *row = g_string_new(NULL);

		g_string_printf(row, "  %-6s", n ? s[n - 1].name : "");
		for (u32 i = 0; i < nv; i++)
			g_string_append_printf(row, "%-8s", n ? setting(&v[i], n) : v[i].name);
		puts(g_strchomp(row->str));
		g_string_free(row, TRUE);
	}
}

static void switch_json(struct lister *l, u32 n, const struct tdx_version *v, u32 nv)
{
	const struct tdx_switch_row *s = &tdx_switch_table()[n - 1];

	json_enter(l->json, NULL, '{');
	json_text(l->json, "name", s->name);
	json_text(l->json, "what", s->what);
	json_text(l->json, "flows", s->flows);
	json_text(l->json, "source", s->source);
	json_enter(l->json, "versions", '{');
	for (u32 i = 0; i < nv; i++) {
		json_enter(l->json, v[i].name, '{');
		json_truth(l->json, "on", v[i].on & SWITCH(n));
		json_truth(l->json, "read", v[i].read & SWITCH(n));
		json_truth(l->json, "option", v[i].options & SWITCH(n));
		json_leave(l->json, '}');
	}
	json_leave(l->json, '}');
	json_leave(l->json, '}');
}

static void switches(struct lister *l, const struct tdx_version *v, u32 nv)
{
	const struct tdx_switch_row *s = tdx_switch_table();

	for (u32 k = 0; k < TDX_SWITCHES; k++) {
		u32 n = order[k];
		char *text;

		l->shown++;
		if (l->json) {
			switch_json(l, n, v, nv);
			continue;
		}
		text = g_strdup_printf("%-6s%s: %s (%s)", s[n - 1].name, s[n - 1].flows,
				       s[n - 1].what, s[n - 1].source);
		list_wrap(l, text, 2, 8);
		g_free(text);
	}
}

static void tdx_versions(struct lister *l, const struct tdx_version *v, u32 nv)
{
	for (u32 i = 0; i < nv; i++) {
		char *text;

		if (!list_wanted(l, v[i].name))
			continue;
		text = g_strdup_printf("%s%s; intel/tdx-module %s", v[i].basis,
				       strcmp(v[i].name, TDX_VERSION_DEFAULT) ? "" :
				       " (the default)", v[i].commit);
		list_item(l, v[i].name, text);
		g_free(text);
	}
}

/* `septsim list variants tdx` */
static void list_tdx(struct lister *l)
{
	u32 n;
	const struct tdx_version *v = tdx_version_table(&n);

	if (!l->json) {
		matrix(v, n);
		list_wrap(l, "on, off: read in that version's own source; with ?: inferred from the "
			  "versions around it; option: off unless the variant says dpamt", 2, 2);
		putchar('\n');
	}
	switches(l, v, n);
	if (l->json)
		return;
	putchar('\n');
	l->only = NULL;
	tdx_versions(l, v, n);
}

void list_variants(struct lister *l)
{
	u32 n, m;
	const struct kmmu_word *w = kmmu_variants(&n);
	const struct tdx_version *v = tdx_version_table(&m);

	if (l->only && !strcmp(l->only, "tdx")) {
		list_tdx(l);
		return;
	}
	if (!l->only && !l->json)
		printf("variant kvm=VERSION SWITCH...\n");
	list_kmmu_words(l, w, n);
	if (!l->only && !l->json)
		printf("variant tdx=VERSION (`septsim list variants tdx`: what each does otherwise)\n");
	tdx_versions(l, v, m);
	if (list_wanted(l, TDX_OPTION_DPAMT))
		list_item(l, TDX_OPTION_DPAMT, "dynamic PAMT, where the module has it (S11); every 2M "
			  "region starts with its page pair");
}
