/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files of the parser share; nobody else includes it. A line is read as a
 * struct text, whose bytes remember their column; parameters are replaced in it; a
 * struct lex turns it into tokens, with one error a line at most.
 */
#pragma once

#include <glib.h>

#include "scenarios/ast.h"
#include "scenarios/diag.h"

/* Bounds that keep a mistyped number from becoming gigabytes. */
#define SCN_MAX_VCPUS	1024u
#define SCN_MAX_LPS	4096u
#define SCN_MAX_BYTES	(4u << 20)
#define SCN_MAX_GFN	(1ull << 40)
#define SCN_MAX_NESTING	16u
#define SCN_MAX_ACCESS	4u	/* as the guest of the module */
#define SCN_MAX_CASES	1024u

/* The memory of one scenario. */
struct scenario_pool;
struct scenario_pool *pool_new(void);
void pool_free(struct scenario_pool *pool);
void *pool_alloc(struct scenario_pool *pool, gsize size);	/* zeroed */
const char *pool_str(struct scenario_pool *pool, const char *s);
const char *pool_strn(struct scenario_pool *pool, const char *s, gsize len);
const char *pool_join(struct scenario_pool *pool, const char *a, const char *b, const char *c);
GPtrArray *pool_ptrs(struct scenario_pool *pool);
GArray *pool_array(struct scenario_pool *pool, unsigned int element);
#define pool_node(pool, type) ((type *)pool_alloc(pool, sizeof(type)))

/* A stretch of a line. cols has len + 1 entries; byte i was written in column cols[i]. */
struct text {
	unsigned int line;
	const char *s;			/* not terminated */
	unsigned int len;
	const unsigned int *cols;
};

enum section_kind {
	SEC_TITLE,
	SEC_SOURCE,
	SEC_LIMIT,
	SEC_PARAM,
	SEC_SWEEP,
	SEC_MEASURE,
	SEC_TD,
	SEC_VARIANT,
	SEC_POLICY,
	SEC_ACTOR,
	SEC_GUEST,
	SEC_INIT,
	SEC_SCHEDULE,
	SEC_EXPECT,
	SEC_TOLERATE,
	SEC_FORBID,
	SEC_DROP,
	SEC_CASE,
};

/* A section as written: rest of its first line, the lines below it. */
struct section {
	enum section_kind kind;
	struct text word;		/* its own word */
	struct text rest;		/* after it; len 0 if nothing */
	GPtrArray *body;		/* struct text */
	GPtrArray *subs;		/* SEC_CASE: struct section */
};

struct param {
	struct text written;		/* its value, not yet expanded */
	gboolean busy;			/* being expanded: a second time is a cycle */
	gboolean done;
	const char *value;		/* replacement text */
};

struct parse {
	const char *file;
	struct scenario_pool *pool;
	struct diag *diag;
	const struct scenario_vocab *vocab;
	GHashTable *defines;		/* -D; may be NULL */
	GHashTable *defines_used;	/* set of names that some param took */
	struct scenario *sc;
	GPtrArray *sections;		/* struct section, of the whole file */
	/* of the case in hand */
	struct scenario_case *c;
	GHashTable *params;		/* name -> struct param */
	GPtrArray *param_names;		/* in the order of the file */
	GHashTable *dropped;		/* set of actor names */
	gboolean lps_given;
	int i;				/* what $i is, or -1 */
};

enum tok_kind {
	TOK_END,
	TOK_WORD,
	TOK_NUM,
	TOK_PUNCT,
};

/* Punctuation is its character; two-character ones have a code. */
enum {
	P_DOTS = 0x100,			/* .. */
	P_EQ,				/* == */
	P_NE,				/* != */
	P_LE,				/* <= */
	P_GE,				/* >= */
};

struct tok {
	enum tok_kind kind;
	int punct;
	guint64 num;
	const char *word;		/* its text, in the pool: words and numbers */
	unsigned int from;		/* bytes of lex.t */
	unsigned int to;
	gboolean blank_before;
	gboolean blank_after;
};

struct lex {
	struct parse *p;
	struct text t;
	struct tok tok;			/* the one to look at next */
	gboolean failed;		/* an error was given: all later ones are silent */
	gboolean quiet;			/* errors only set failed */
	unsigned int depth;		/* of parentheses */
};

/* text.c: stretches of lines */
struct scn_loc text_loc(const struct parse *p, const struct text *t);
struct text text_slice(const struct text *t, unsigned int from, unsigned int to);
struct text text_trim(struct text t);
const char *text_str(struct parse *p, const struct text *t);	/* as is */
const char *text_tidy(struct parse *p, const struct text *t);	/* single blanks */
gboolean text_is(const struct text *t, const char *word);
/* Take the first blank-separated piece off t. FALSE if there is none. */
gboolean text_piece(struct text *t, struct text *piece);
void parse_error(struct parse *p, const struct text *t, const char *hint, const char *fmt, ...)
	G_GNUC_PRINTF(4, 5);
/* "did you mean X?" in the pool, or NULL */
const char *hint_nearest(struct parse *p, const char *word, const char *const *list);

/* param.c: $NAME, $i, vCPU[..] */
gboolean text_expand(struct parse *p, const struct text *in, struct text *out);
void param_add(struct parse *p, const struct text *item);
void param_check_all(struct parse *p);
typedef void (*text_fn)(struct parse *p, struct text *t, void *data);
/* Calls fn with the expanded text; once for each vCPU if it holds vCPU[...]. */
void text_each(struct parse *p, const struct text *t, text_fn fn, void *data);
gboolean text_writes_many(const struct text *t);

/* lex.c: tokens and numbers */
void lex_init(struct lex *lx, struct parse *p, const struct text *t);
void lex_next(struct lex *lx);
gboolean lex_is_word(const struct lex *lx, const char *word);
gboolean lex_is(const struct lex *lx, int punct);
gboolean lex_take(struct lex *lx, int punct);		/* if it is next */
gboolean lex_take_word(struct lex *lx, const char *word);
void lex_want(struct lex *lx, int punct, const char *what);
void lex_end(struct lex *lx);				/* nothing may follow */
gboolean lex_at_dots(const struct lex *lx);		/* ` .. ` of a cell */
const char *lex_word(struct lex *lx, const char *what);
struct scn_loc lex_loc(const struct lex *lx);
struct scn_loc lex_loc_from(const struct lex *lx, unsigned int from);
const char *lex_text_from(const struct lex *lx, unsigned int from);
void lex_error(struct lex *lx, const char *hint, const char *fmt, ...) G_GNUC_PRINTF(3, 4);
guint64 lex_number(struct lex *lx, const char *what);
guint64 lex_gfn(struct lex *lx);
void lex_range(struct lex *lx, struct scn_gfn_range *range);
gboolean lex_cmp(struct lex *lx, enum scn_cmp_op *op);
/* One word of a table; error with a hint if it is none. Returns its value. */
int lex_choice(struct lex *lx, const char *what,
	       const struct scn_word_value *words);
int lex_level(struct lex *lx);				/* 4K 2M 1G if next, else NONE */
/* "lp3" -> 3, "vCPU2" -> 2; -1 if word is not that */
int numbered(const char *word, const char *prefix);

/* TRUE if the vocabulary knows word, or takes any. */
gboolean vocab_has(struct parse *p, enum scn_vocab_kind kind, const char *scope,
		   const char *word);
/* The next word, which kind must know. what: "lock", for "X is no lock". */
const char *lex_vocab(struct lex *lx, enum scn_vocab_kind kind, const char *scope,
		      const char *what);

/* parse_cond.c */
void parse_region(struct lex *lx, struct scn_region_ref *r);
void parse_value(struct lex *lx, const struct scn_region_ref *scope, struct scn_value *v);
void parse_status(struct lex *lx, struct scn_status_ref *s);
void parse_actor(struct lex *lx, struct scn_actor_ref *a);
const char *parse_leaf(struct lex *lx, gboolean seam);
void parse_lock(struct lex *lx, struct scn_lock_ref *l);
struct scn_cond *parse_cond(struct lex *lx);

/* parse_op.c */
struct scn_op *parse_op(struct lex *lx, enum scn_op_side side);

/* parse_program.c */
struct scn_cell *parse_cell(struct parse *p, const struct text *t, int actor);
void parse_program(struct parse *p, GPtrArray *lines, int actor, enum scn_op_side side,
		   GPtrArray *ops, struct scn_guest *guest);

/* parse_td.c: lines of attributes */
void parse_td(struct parse *p, const struct section *sec);
void parse_variant(struct parse *p, const struct section *sec);
void parse_policy(struct parse *p, const struct section *sec);
void parse_limit(struct parse *p, const struct section *sec);

/* parse_table.c */
GPtrArray *table_columns(struct parse *p, const struct section *sec);	/* struct text */
void parse_table(struct parse *p, const struct section *sec, struct scn_schedule *s);

/* parse_expect.c */
void parse_expects(struct parse *p, const struct section *sec);
void parse_tolerate(struct parse *p, const struct section *sec);
void parse_forbid(struct parse *p, const struct section *sec);

/* parse.c */
GPtrArray *section_items(struct parse *p, const struct section *sec);	/* struct text */
const char *section_name(enum section_kind kind);

/* cast.c: who acts, and where */
/*
 * cast_td - the TD that @name is of, by the name in front of its dot; *@rest: what is behind.
 * Without one it is the first TD.
 */
int cast_td(const struct parse *p, const char *name, const char **rest);
int cast_find(const struct parse *p, const char *name);		/* index, or -1 */
struct scn_actor *cast_add(struct parse *p, const struct text *name);
void cast_place(struct parse *p, struct scn_actor *a, const struct text *lp);
void cast_collect(struct parse *p, const struct section *schedule, GPtrArray *inits);
void cast_drop(struct parse *p, GPtrArray *items);
gboolean init_split(const struct text *t, struct text *name, struct text *rest);

/* expand.c */
void expand_cases(struct parse *p);
