// SPDX-License-Identifier: GPL-2.0-only
/*
 * The vocabulary of the model. Lists are made once a process; the names of regions come
 * from a TD with one vCPU that is built and thrown away. Rests on every layer's tables.
 */
#include "scenarios/vocab.h"

#include <string.h>

#include "kvmmmu/kmmu.h"
#include "scenarios/checks.h"
#include "sim/engine/arena.h"
#include "sim/engine/region.h"
#include "sim/engine/sim.h"
#include "tdxmod/build.h"
#include "tdxmod/guest.h"
#include "tdxmod/observe.h"
#include "tdxmod/seamcall.h"
#include "tdxmod/status.h"
#include "tdxmod/versions.h"


struct words {
	GPtrArray *all;
	GHashTable *seen;
};

static struct words words_new(void)
{
	return (struct words){ g_ptr_array_new(), g_hash_table_new(g_str_hash, g_str_equal) };
}

static void words_add(struct words *w, const char *word)
{
	word = g_intern_string(word);
	if (g_hash_table_add(w->seen, (gpointer)word))
		g_ptr_array_add(w->all, (gpointer)word);
}

static int by_text(gconstpointer a, gconstpointer b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* As a NULL-terminated array for the life of the process. */
static const char *const *words_take(struct words *w, gboolean sort)
{
	if (sort)
		g_ptr_array_sort(w->all, by_text);
	g_ptr_array_add(w->all, NULL);
	g_hash_table_unref(w->seen);
	return (const char *const *)g_ptr_array_free(w->all, FALSE);
}

/* ---- regions ---- */

struct regions {
	struct words names;
	GHashTable *fields;	/* region -> struct words */
	GHashTable *values;	/* "region.field" -> struct words */
};

static struct words *words_of(GHashTable *t, const char *key)
{
	struct words *w = g_hash_table_lookup(t, key);

	if (!w) {
		w = g_new0(struct words, 1);
		*w = words_new();
		g_hash_table_insert(t, g_strdup(key), w);
	}
	return w;
}

static void add_values(struct regions *rs, const char *region, const struct region_field *f)
{
	char key[160];

	if (!f->words)
		return;
	g_snprintf(key, sizeof(key), "%s.%s", region, f->name);
	for (guint i = 0; f->words[i]; i++)
		words_add(words_of(rs->values, key), f->words[i]);
}

/* "TDCS.TD_EPOCH" is region TDCS with a field to the language. */
static void add_region(const struct region *r, void *ctx)
{
	struct regions *rs = ctx;
	const char *name = r->type->name, *dot = strchr(name, '.');
	char *head = dot ? g_strndup(name, (gsize)(dot - name)) : g_strdup(name);

	words_add(&rs->names, head);
	if (dot)
		words_add(words_of(rs->fields, head), dot + 1);
	for (const struct region_field *f = r->type->fields; f && f->width; f++) {
		char *field = dot ? g_strdup_printf("%s.%s", dot + 1, f->name) : g_strdup(f->name);

		words_add(words_of(rs->fields, head), field);
		add_values(rs, name, f);
		g_free(field);
	}
	g_free(head);
}

/*
 * What is there only once a vCPU has loaded its roots, or a memslot logs: no region of the TD
 * that is looked at
 */
static void roots(struct regions *rs)
{
	words_add(&rs->names, "mirror");
	words_add(&rs->names, "direct");
	words_add(&rs->names, "dirty_bitmap");
	words_add(&rs->names, "root");
	words_add(&rs->names, "mirror_root");
	words_add(words_of(rs->fields, "root"), "invalid");
	words_add(words_of(rs->fields, "mirror_root"), "invalid");
}

static void classes(struct regions *rs)
{
	static const char *const spte[] = { "NONPRESENT", "FROZEN", "PRESENT", "TABLE", "MMIO",
					    "OTHER" };

	for (guint i = 0; i < G_N_ELEMENTS(spte); i++) {
		words_add(words_of(rs->values, "mirror"), spte[i]);
		words_add(words_of(rs->values, "direct"), spte[i]);
	}
	for (guint i = 0; i < 256; i++) {
		const char *name = sept_state_name((u8)i);

		if (name && strcmp(name, "?"))
			words_add(words_of(rs->values, "sept"), name);
	}
}

static gboolean look_at_sim(struct regions *rs)
{
	static const char *const variant[] = { NULL };
	struct sim_options so = { .sched = SCHED_CLOCK, .lps = 1 };
	struct tdx_module_config mc = { .version = NULL };
	struct kmmu_config kc = {
		.name = "TD", .vcpus = 1, .memory = 4ull << 20, .levels = 4, .max_level = 1,
		.variant = variant,
	};
	struct sim *sim = sim_new(&so);
	GError *err = NULL;

	if (!sim)
		return FALSE;
	page_reserve(1ull << 20);
	if (tdx_module_new(sim, &mc) && kmmu_vm_new(sim, &kc, &err))
		region_each(add_region, rs);
	g_clear_error(&err);
	sim_free(sim);
	return rs->names.all->len > 0;
}

static void take_table(GHashTable *t, GHashTable *to)
{
	GHashTableIter it;
	gpointer key, w;

	g_hash_table_iter_init(&it, t);
	while (g_hash_table_iter_next(&it, &key, &w)) {
		g_hash_table_insert(to, key, (gpointer)words_take(w, TRUE));
		g_free(w);
	}
	g_hash_table_unref(t);
}

static struct {
	const char *const *names;
	GHashTable *fields, *values;	/* text -> const char *const * */
} known;

static void learn_regions(void)
{
	struct regions rs = {
		.names = words_new(),
		.fields = g_hash_table_new(g_str_hash, g_str_equal),
		.values = g_hash_table_new(g_str_hash, g_str_equal),
	};

	if (known.fields)
		return;
	known.fields = g_hash_table_new(g_str_hash, g_str_equal);
	known.values = g_hash_table_new(g_str_hash, g_str_equal);
	if (look_at_sim(&rs)) {
		roots(&rs);
		classes(&rs);
	}
	/* Without a world nothing is known, and any word will do. */
	known.names = rs.names.all->len ? words_take(&rs.names, TRUE) : NULL;
	take_table(rs.fields, known.fields);
	take_table(rs.values, known.values);
}

/* ---- the layers' tables ---- */

static const char *const *leaves(void)
{
	struct words w = words_new();

	for (u64 i = 0; i < LEAF_LIMIT; i++)
		if (seamcall_name(i))
			words_add(&w, seamcall_name(i));
	for (u64 i = 0; i < LEAF_LIMIT; i++)
		if (tdcall_name(i))
			words_add(&w, tdcall_name(i));
	return words_take(&w, FALSE);
}

static const char *const *kmmu_list(const struct kmmu_word *(*get)(u32 *n), gboolean versions,
				    gboolean switches)
{
	struct words w = words_new();
	u32 n;
	const struct kmmu_word *k = get(&n);

	for (u32 i = 0; i < n; i++) {
		gboolean version = k[i].name[0] == 'v' && g_ascii_isdigit(k[i].name[1]);

		if (version ? versions : switches)
			words_add(&w, k[i].name);
	}
	return words_take(&w, FALSE);
}

static const char *const *tdx_versions(void)
{
	struct words w = words_new();
	u32 n;
	const struct tdx_version *v = tdx_version_table(&n);

	for (u32 i = 0; i < n; i++)
		words_add(&w, v[i].name);
	return words_take(&w, FALSE);
}

/* Switches of either side: KVM's, and what the module may be built with */
static const char *const *switches(void)
{
	struct words w = words_new();
	u32 n;
	const struct kmmu_word *k = kmmu_variants(&n);

	for (u32 i = 0; i < n; i++)
		if (k[i].name[0] != 'v' || !g_ascii_isdigit(k[i].name[1]))
			words_add(&w, k[i].name);
	words_add(&w, TDX_OPTION_DPAMT);
	return words_take(&w, FALSE);
}

static const char *const *statuses(void)
{
	struct words w = words_new();
	u32 n;
	const struct status_row *s = status_table(&n);

	for (u32 i = 0; i < n; i++)
		words_add(&w, s[i].name + strlen("TDX_"));
	return words_take(&w, FALSE);
}

static const char *const *operands(void)
{
	struct words w = words_new();
	u32 n;
	const struct operand_row *o = operand_table(&n);

	for (u32 i = 0; i < n; i++)
		words_add(&w, o[i].name);
	return words_take(&w, FALSE);
}

static const char *const *check_ids(gboolean observations)
{
	struct words w = words_new();
	guint n;
	const struct check_word *c = check_words(&n);

	for (guint i = 0; i < n; i++)
		if (c[i].observation == observations)
			words_add(&w, c[i].name);
	return words_take(&w, FALSE);
}

static const char *const *make(enum scn_vocab_kind kind)
{
	switch (kind) {
	case SCN_VOCAB_LEAF:		return leaves();
	case SCN_VOCAB_SEAM:		return kmmu_list(kmmu_seams, TRUE, TRUE);
	case SCN_VOCAB_STATUS:		return statuses();
	case SCN_VOCAB_OPERAND:		return operands();
	case SCN_VOCAB_KVM:		return kmmu_list(kmmu_variants, TRUE, FALSE);
	case SCN_VOCAB_SWITCH:		return switches();
	case SCN_VOCAB_TDX:		return tdx_versions();
	case SCN_VOCAB_POLICY:		return kmmu_list(kmmu_policies, TRUE, TRUE);
	case SCN_VOCAB_CHECK:		return check_ids(FALSE);
	case SCN_VOCAB_OBSERVATION:	return check_ids(TRUE);
	default:			return NULL;	/* any word will do */
	}
}

/* The fields of a region; one that is known and has none takes no word at all. */
static const char *const *fields_of(const char *region)
{
	static const char *const none[] = { NULL };
	const char *const *fields = g_hash_table_lookup(known.fields, region);

	if (fields)
		return fields;
	return known.names && g_strv_contains(known.names, region) ? none : NULL;
}

static const char *const *list(enum scn_vocab_kind kind, const char *scope)
{
	/* td_exit.c of the module names them, and vmx.c of KVM */
	static const char *const exits[] = {
		"EPT_VIOLATION", "EPT_MISCONFIG", "EXTERNAL_INTERRUPT", "TDCALL",
		"HOST_PRIORITY_BUSY_TIMEOUT", "CROSS_TD_TRAP", "VMCALL", "HLT", "OTHER", NULL
	};
	static const char *const *made[SCN_VOCAB_METRIC + 1];

	switch (kind) {
	case SCN_VOCAB_REGION:
		return known.names;
	case SCN_VOCAB_FIELD:
		return scope ? fields_of(scope) : NULL;
	case SCN_VOCAB_EXIT_REASON:
		return exits;
	case SCN_VOCAB_VALUE:
		return scope ? g_hash_table_lookup(known.values, scope) : NULL;
	default:
		if (!made[kind])
			made[kind] = make(kind);
		return made[kind];
	}
}

const struct scenario_vocab *scenario_vocab_model(void)
{
	static const struct scenario_vocab vocab = { list };

	learn_regions();
	return &vocab;
}
