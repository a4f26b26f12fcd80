// SPDX-License-Identifier: GPL-2.0-only
/*
 * A septsim with the user's tree in it: meson and ninja as child processes, and what to say
 * when they fail. The reasons themselves are kvmmmu/kernel/farm.py's.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "sim/cli/kernel.h"

/* Without these no tree has KVM's TDX; a file and since when it is there. */
static const char *const wanted[][2] = {
	{ "Makefile", "no tree of Linux" },
	{ "arch/x86/kvm/mmu/tdp_mmu.c", "no tree with KVM's TDP MMU" },
	{ "arch/x86/kvm/vmx/tdx.c", "KVM's TDX support is there from v6.16 on" },
	{ "arch/x86/virt/vmx/tdx/tdx.c", "the SEAMCALL wrappers are there from v6.16 on" },
	{ "virt/kvm/guest_memfd.c", "guest_memfd is there from v6.8 on" },
};

static gboolean is_tree(const char *tree)
{
	for (guint i = 0; i < G_N_ELEMENTS(wanted); i++) {
		char *path = g_build_filename(tree, wanted[i][0], NULL);
		gboolean there = g_file_test(path, G_FILE_TEST_IS_REGULAR);

		g_free(path);
		if (!there)
			return cli_fail("%s has no %s: %s", tree, wanted[i][0], wanted[i][1]), FALSE;
	}
	return TRUE;
}

static gboolean is_source(const char *source)
{
	char *path = g_build_filename(source, "kvmmmu", "kmmu.h", NULL);
	gboolean there = g_file_test(path, G_FILE_TEST_IS_REGULAR);

	g_free(path);
	if (!there)
		cli_fail("%s is no source of septsim, from which a kernel is built in; --source DIR "
			 "says where one is", source);
	return there;
}

/* One place a tree, so that a second run builds nothing. */
static char *place_for(const char *source, const char *tree)
{
	char *sum = g_compute_checksum_for_string(G_CHECKSUM_SHA256, tree, -1);
	char *base = g_path_get_basename(tree);
	char *name = g_strdup_printf("%s-%.8s", base, sum);
	char *dir = access(source, W_OK) ?
		g_build_filename(g_get_user_cache_dir(), "septsim", name, NULL) :
		g_build_filename(source, "build", "kernel", name, NULL);

	g_free(sum);
	g_free(base);
	g_free(name);
	return dir;
}

struct kernel *kernel_open(const char *source, const char *tree, const char *dir)
{
	struct kernel *k = g_new0(struct kernel, 1);

	k->source = source;
	k->tree = g_canonicalize_filename(tree, NULL);
	k->dir = dir ? g_canonicalize_filename(dir, NULL) : place_for(source, k->tree);
	k->septsim = g_build_filename(k->dir, "build", "sim", "cli", "septsim", NULL);
	k->version = g_string_new(NULL);
	k->more = g_ptr_array_new_with_free_func(g_free);
	if (!is_source(source) || !is_tree(k->tree)) {
		kernel_close(k);
		return NULL;
	}
	if (g_mkdir_with_parents(k->dir, 0777)) {
		cli_fail("%s: %s", k->dir, g_strerror(errno));
		kernel_close(k);
		return NULL;
	}
	return k;
}

void kernel_close(struct kernel *k)
{
	if (!k)
		return;
	g_free(k->tree);
	g_free(k->dir);
	g_free(k->septsim);
	g_ptr_array_unref(k->more);
	g_string_free(k->version, TRUE);
	g_free(k);
}

/* A line of the farm's that says what to do has more in the lines below it, indented. */
static gboolean is_farms(const char *line)
{
	return g_str_has_prefix(line, "linux_tree: ") || strstr(line, " does not compile") ||
	       strstr(line, ", which ");
}

/*
 * Of a log what a reader can act on: what the farm says, or the compiler's errors, or its end.
 * All of it stays in the file that is named.
 */
static void reason(const char *log, GString *why)
{
	char **lines = g_strsplit(log, "\n", -1);
	guint kept = 0, n = g_strv_length(lines);
	gboolean farm = FALSE;

	for (guint i = 0; i < n && kept < 24; i++) {
		gboolean take = farm && g_str_has_prefix(lines[i], "  ");

		if (!take)
			take = farm = is_farms(lines[i]);
		take = take || strstr(lines[i], "error:") || strstr(lines[i], "ERROR:") ||
		       strstr(lines[i], "undefined reference");
		if (!take || strstr(why->str, lines[i]))
			continue;
		g_string_append_printf(why, "%s%s", kept ? "\n  " : "", lines[i]);
		kept++;
	}
	if (!kept)
		for (guint i = n > 8 ? n - 8 : 0; i < n; i++)
			g_string_append_printf(why, "%s%s", i ? "\n  " : "", lines[i]);
	g_strfreev(lines);
}

/* Run it, keep its log as @name in the place; FALSE with the reason. */
static gboolean step(struct kernel *k, const char *name, const char *const *argv, GString *why)
{
	GString *log = g_string_new(NULL);
	char *path = g_build_filename(k->dir, name, NULL);
	gboolean ok = command_run(NULL, argv, log, log, NULL);

	g_file_set_contents(path, log->str, (gssize)log->len, NULL);
	if (!ok) {
		reason(log->str, why);
		g_string_append_printf(why, "\n  (%s; all of it is in %s)", argv[0], path);
	}
	g_free(path);
	g_string_free(log, TRUE);
	return ok;
}

/* The tree's version and checksums, as the program that was built from it says them. */
static gboolean ask_version(struct kernel *k, GString *why)
{
	const char *const argv[] = { k->septsim, "--version", NULL };

	g_string_truncate(k->version, 0);
	if (!command_run(NULL, argv, k->version, why, NULL))
		return FALSE;
	if (!strstr(k->version->str, "\nlinux ")) {
		g_string_append(why, "what was built has no kernel in it");
		return FALSE;
	}
	return TRUE;
}

gboolean kernel_make(struct kernel *k, const char *tree, GString *why)
{
	char *build = g_build_filename(k->dir, "build", NULL);
	char *ninja = g_build_filename(build, "build.ninja", NULL);
	char *object = g_build_filename(build, "kvmmmu", "kernel.o", NULL);
	char *option = g_strdup_printf("-Dlinux_tree=%s", tree);
	char *lines = g_strdup_printf("-Dlinux_lines=%s", k->lines ? "true" : "false");
	gboolean again = g_file_test(ninja, G_FILE_TEST_EXISTS), ok;
	const char *const setup[] = { "meson", "setup", build, k->source, "-Dtests=disabled",
				      "-Djemalloc=auto", option, k->lines ? lines : NULL, NULL };
	const char *const configure[] = { "meson", "configure", build, option,
					  k->lines ? lines : NULL, NULL };
	const char *const make[] = { "ninja", "-C", build, "sim/cli/septsim", NULL };

	if (isatty(STDERR_FILENO))
		fprintf(stderr, "\rseptsim kernel: building with %s\033[K\r", tree);
	/* Ages of files say little where trees are copied: the farm goes by what they hold. */
	unlink(object);
	ok = step(k, "setup.log", again ? configure : setup, why) &&
	     step(k, "build.log", make, why) && ask_version(k, why);
	if (isatty(STDERR_FILENO))
		fputs("\r\033[K", stderr);
	g_free(build);
	g_free(object);
	g_free(ninja);
	g_free(option);
	g_free(lines);
	return ok;
}

static int by_name(gconstpointer a, gconstpointer b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Every scenario that a campaign wants, in order. */
static void add_scenarios(GPtrArray *argv, const char *source, const char *sub)
{
	char *path = g_build_filename(source, "scenarios", sub, NULL);
	GDir *dir = g_dir_open(path, 0, NULL);
	GPtrArray *names = g_ptr_array_new();
	const char *name;

	while (dir && (name = g_dir_read_name(dir)))
		if (g_str_has_suffix(name, ".scn"))
			g_ptr_array_add(names, g_build_filename(path, name, NULL));
	g_ptr_array_sort(names, by_name);
	for (guint i = 0; i < names->len; i++)
		g_ptr_array_add(argv, names->pdata[i]);
	g_ptr_array_unref(names);
	if (dir)
		g_dir_close(dir);
	g_free(path);
}

/* What an earlier run found is not this one's. */
static void empty(const char *found)
{
	GDir *dir = g_dir_open(found, 0, NULL);
	const char *name;

	while (dir && (name = g_dir_read_name(dir))) {
		char *path = g_build_filename(found, name, NULL);

		if (g_str_has_suffix(name, ".scn") || g_str_has_suffix(name, ".delays.patch"))
			unlink(path);
		g_free(path);
	}
	if (dir)
		g_dir_close(dir);
}

struct campaign *kernel_campaign(struct kernel *k, const char *name, const char *lines,
				 GString *text, GString *why)
{
	GPtrArray *argv = g_ptr_array_new_with_free_func(g_free);
	char *summary = g_strdup_printf("%s/%s.campaign", k->dir, name);
	char *found = g_strdup_printf("%s/%s.found", k->dir, name);
	struct campaign *c = NULL;
	GString *err = g_string_new(NULL);
	GError *error = NULL;
	int status;

	unlink(summary);
	empty(found);
	g_ptr_array_add(argv, g_strdup(k->septsim));
	g_ptr_array_add(argv, g_strdup("campaign"));
	g_ptr_array_add(argv, g_strdup("--kvm=linux"));
	g_ptr_array_add(argv, g_strdup_printf("--summary=%s", summary));
	g_ptr_array_add(argv, g_strdup_printf("--found=%s", found));
	g_ptr_array_add(argv, g_strdup_printf("--time=%g", k->seconds));
	g_ptr_array_add(argv, g_strdup_printf("--jobs=%d", k->jobs));
	if (lines)
		g_ptr_array_add(argv, g_strdup_printf("--lines=%s", lines));
	for (guint i = 0; i < k->more->len; i++)
		g_ptr_array_add(argv, g_strdup(k->more->pdata[i]));
	add_scenarios(argv, k->source, "races");
	add_scenarios(argv, k->source, "kernel");
	add_scenarios(argv, k->source, "memory");
	g_ptr_array_add(argv, NULL);
	command_run(NULL, (const char *const *)argv->pdata, text, err, &status);
	if (status == EXIT_AS_EXPECTED || status == EXIT_NOT_EXPECTED)
		c = campaign_read(summary, &error);
	if (!c)
		g_string_append_printf(why, "the campaign ended with status %d: %s", status,
				       error ? error->message : err->str);
	g_clear_error(&error);
	g_string_free(err, TRUE);
	g_free(summary);
	g_free(found);
	g_ptr_array_unref(argv);
	return c;
}
