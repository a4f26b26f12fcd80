// SPDX-License-Identifier: GPL-2.0-only
/*
 * Elements: names of the language against the regions of a running simulation. Only
 * peeks. Rests on sim/engine/region.h.
 */
#include <string.h>

#include "scenarios/condition.h"
#include "sim/engine/mem.h"
#include "sim/engine/region.h"

/* "TDCS.epoch" is the name of a type, "mirror[0x10].pfn" a field of one. */
static gboolean find_type(struct element *e, const struct scn_region_ref *ref)
{
	const struct region_type *t;
	char dotted[128];

	if (ref->field) {
		g_snprintf(dotted, sizeof(dotted), "%s.%s", ref->name, ref->field);
		t = region_type_by_name(dotted);
		if (t) {
			e->type = t->name;
			return TRUE;
		}
	}
	t = region_type_by_name(ref->name);
	if (!t)
		return FALSE;
	e->type = t->name;
	if (ref->field)
		e->field = region_field_by_name(t, ref->field);
	return !ref->field || e->field;
}

static void locate(struct element *e)
{
	/* A table may go and another come in its place: another root's, say. */
	if (!e->type || e->epoch == region_epoch())	/* no type: it has been refused */
		return;
	e->epoch = region_epoch();
	e->region = NULL;
	e->p = region_find(e->type, e->ref->owner, e->index, e->level, &e->region);
	/* Entries without @ are those of 4K; other elements have no levels. */
	if (!e->p && e->ref->level == SCN_LEVEL_NONE) {
		struct region *r;

		if (region_find(e->type, e->ref->owner, e->index, 0, &r) && !r->level)
			e->p = region_find(e->type, e->ref->owner, e->index, 0, &e->region);
	}
}

gboolean element_find(struct sim *sim, const struct scn_region_ref *ref, struct element *e,
		      const char **why)
{
	memset(e, 0, sizeof(*e));
	e->ref = ref;
	e->index = ref->indexed ? ref->index.num : 0;
	e->level = ref->level == SCN_LEVEL_NONE ? SCN_LEVEL_4K : (guint8)ref->level;
	if (!find_type(e, ref)) {
		char *text = g_strdup_printf("there is no %s in this run", ref->text);

		*why = trace_intern(sim, text);
		g_free(text);
		return FALSE;
	}
	locate(e);
	return TRUE;
}

static void value_of(const struct element *e, guint64 raw, struct element_value *v)
{
	const struct region_type *t = e->region->type;

	v->absent = FALSE;
	v->word = NULL;
	v->num = raw;
	if (e->field) {
		guint64 mask = e->field->width >= 64 ? ~0ull : (1ull << e->field->width) - 1;

		v->num = raw >> e->field->shift & mask;
		for (guint64 i = 0; e->field->words && e->field->words[i] && i <= v->num; i++)
			if (i == v->num)
				v->word = e->field->words[i];
	} else if (t->class) {
		v->word = t->class(raw);
	}
}

void element_read(struct element *e, struct element_value *v)
{
	locate(e);
	if (!e->p) {
		*v = (struct element_value){ .absent = TRUE };
		return;
	}
	value_of(e, region_raw(e->region, e->p), v);
}

gboolean element_is(const struct element_value *v, const struct scn_value *want)
{
	if (v->absent)
		return FALSE;
	if (want->word && v->word)
		return !strcmp(v->word, want->word);
	/* A vCPU is a word that carries its number; a word without one means nothing here. */
	if (want->word && !g_str_has_prefix(want->word, "vCPU"))
		return FALSE;
	return v->num == want->num;
}

const char *element_text(const struct element_value *v, char *buf, gsize n)
{
	if (v->absent)
		g_snprintf(buf, n, "absent (its table does not exist)");
	else if (v->word)
		g_snprintf(buf, n, "%s", v->word);
	else
		g_snprintf(buf, n, "0x%" G_GINT64_MODIFIER "x", v->num);
	return buf;
}

gboolean element_covers(struct element *e, const void *p)
{
	locate(e);
	return e->p && p && (guint64)p - (guint64)e->p < e->region->size;
}

gboolean element_raw_of(struct element *e, const struct scn_value *v, guint64 *raw)
{
	guint64 num = v->num, mask;

	locate(e);
	if (!e->p)
		return FALSE;
	if (v->word && !g_str_has_prefix(v->word, "vCPU")) {
		guint64 i = 0;

		if (!e->field || !e->field->words)
			return FALSE;
		while (e->field->words[i] && strcmp(e->field->words[i], v->word))
			i++;
		if (!e->field->words[i])
			return FALSE;
		num = i;
	}
	if (!e->field) {
		*raw = num;
		return TRUE;
	}
	mask = e->field->width >= 64 ? ~0ull : (1ull << e->field->width) - 1;
	if (num & ~mask)
		return FALSE;
	*raw = (region_raw(e->region, e->p) & ~(mask << e->field->shift)) |
	       num << e->field->shift;
	return TRUE;
}
