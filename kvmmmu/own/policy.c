// SPDX-License-Identifier: GPL-2.0-only
/*
 * The table of retry policies and their arguments ("policy v19 retries=5").
 */
#include "kvmmmu/own/policy.h"

#include <string.h>

#include "kvmmmu/own/variant.h"

static const struct retry_policy *const policies[] = {
	&policy_v6_16,
	&policy_v6_18,
	&policy_v6_19,
	&policy_v7_2,
	&policy_resume_guest,
	&policy_v19,
	&policy_v19_10000,
};

const struct retry_policy *policy_at(u32 i)
{
	return i < ARRAY_SIZE(policies) ? policies[i] : NULL;
}

const struct retry_policy *policy_find(const char *name)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(policies); i++) {
		if (!strcmp(policies[i]->word.name, name))
			return policies[i];
	}
	return NULL;
}

static int arg_find(const struct retry_policy *p, const char *name, size_t n)
{
	int i;

	for (i = 0; p->args && p->args[i].name; i++) {
		if (strlen(p->args[i].name) == n && !strncmp(p->args[i].name, name, n))
			return i;
	}
	return -1;
}

bool policy_parse_args(const struct retry_policy *p, const char *const *words,
		       u64 values[POLICY_ARGS], GError **err)
{
	int i;

	for (i = 0; p->args && p->args[i].name; i++)
		values[i] = p->args[i].value;
	for (; words && *words; words++) {
		const char *eq = strchr(*words, '=');
		guint64 v;

		i = eq ? arg_find(p, *words, eq - *words) : -1;
		if (i < 0) {
			g_set_error(err, KMMU_ERROR, KMMU_ERROR_POLICY_ARG,
				    "policy %s has no argument '%s'%s%s%s", p->word.name, *words,
				    p->args ? "; it has '" : "", p->args ? p->args[0].name : "",
				    p->args ? "'" : "");
			return false;
		}
		if (!g_ascii_string_to_unsigned(eq + 1, 10, p->args[i].min, p->args[i].max, &v,
						NULL)) {
			g_set_error(err, KMMU_ERROR, KMMU_ERROR_POLICY_ARG,
				    "%s of policy %s is a number from %" G_GUINT64_FORMAT
				    " to %" G_GUINT64_FORMAT, p->args[i].name, p->word.name,
				    (guint64)p->args[i].min, (guint64)p->args[i].max);
			return false;
		}
		values[i] = v;
	}
	return true;
}
