// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is mapped when a run has ended, in words that two KVMs can be compared by: which page an
 * allocator took is its own affair, whether mirror and S-EPT mean the same one is not.
 */
#include "scenarios/play_priv.h"
#include "tdxmod/observe.h"

#define PFN_BITS	((G_GUINT64_CONSTANT(1) << 52) - 4096)

struct line {
	char text[120];
};

static void tree_words(const char *name, const struct mirror_view *m, struct line *l)
{
	static const char *const names[] = {
		[MIRROR_NONPRESENT] = "NONPRESENT", [MIRROR_FROZEN] = "FROZEN",
		[MIRROR_LEAF] = "PRESENT", [MIRROR_TABLE] = "TABLE", [MIRROR_MMIO] = "MMIO",
		[MIRROR_OTHER] = "OTHER",
	};

	g_snprintf(l->text, sizeof(l->text), "%s %s at level %u, 0x%" G_GINT64_MODIFIER "x", name,
		   names[m->class], m->level,
		   m->class == MIRROR_LEAF ? (guint64)m->raw & ~PFN_BITS : 0);
}

static void mirror_words(struct kvm *kvm, guint64 gfn, struct line *l)
{
	struct mirror_view m;
	struct sept_view s;
	struct line tree;

	kmmu_mirror_peek(kvm, gfn, &m);
	sept_peek(kmmu_tdr(kvm), gfn, &s);
	tree_words("mirror", &m, &tree);
	g_snprintf(l->text, sizeof(l->text), "%s, S-EPT %s at level %u%s", tree.text,
		   sept_state_name(s.state), s.level,
		   s.mapped && s.hpa >> 12 != m.pfn ? ", another page" : "");
}

static void direct_words(struct kvm *kvm, guint64 gfn, struct line *l)
{
	struct mirror_view m;

	kmmu_direct_peek(kvm, gfn, &m);
	tree_words("direct", &m, l);
}

/* A line where it is not as one gfn before */
static void say(struct player *pl, struct kvm *kvm,
		void (*words)(struct kvm *kvm, guint64 gfn, struct line *l))
{
	struct line was = { "" }, now;

	for (guint64 gfn = 0; gfn < kmmu_gfns(kvm); gfn++) {
		char *text;

		words(kvm, gfn, &now);
		if (!strcmp(was.text, now.text))
			continue;
		was = now;
		text = g_strdup_printf("%s, from 0x%" G_GINT64_MODIFIER "x on: %s", kmmu_name(kvm),
				       gfn, now.text);
		g_ptr_array_add(pl->res->finals, (gpointer)play_result_str(pl->res, text));
		g_free(text);
	}
}

void play_finals(struct player *pl)
{
	for (guint i = 0; i < pl->c->tds->len; i++) {
		struct kvm *kvm = pl->vms[i];

		if (kmmu_destroyed(kvm))
			continue;
		if (kmmu_tdr(kvm))
			say(pl, kvm, mirror_words);
		say(pl, kvm, direct_words);
	}
}
