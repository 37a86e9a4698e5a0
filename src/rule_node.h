/* The tree a rule program is, shared by the files rule_*.c only. */
#ifndef TA_RULE_NODE_H
#define TA_RULE_NODE_H

#include "src/rule.h"

struct pattern;

enum rule_op {
	OP_CONST,
	OP_VAR,
	OP_LIST,
	OP_AGO,  /* an instant relative to now; val.n = seconds, negative is the past */
	OP_CALL, /* a function: what of JsonLogic has no operator here (src/rule_calls.def) */
#define OP(NAME, logic, expr, kids, meaning) OP_##NAME,
#include "src/rule_ops.def"
#undef OP
	OP_COUNT
};

struct rule_node {
	enum rule_op op;
	struct rule_value val; /* CONST; LIST when all of it is constant */
	const char *path;      /* VAR */
	int field;             /* VAR: number in field.def, -1 unknown */
	bool custom;           /* VAR: a member of custom, known by its path only */
	bool blank;            /* VAR: begins a condition with nothing but a blank before it */
	struct rule_node **kids;
	size_t nkids;
	const struct pattern *pattern;                /* MATCHES */
	const struct rule_call *call;                 /* CALL */
	enum { LIT_PLAIN, LIT_SPAN, LIT_MOMENT } lit; /* CONST: how a number was written */
	size_t at;                                    /* where it stood in the expression */
};

struct rule_prog {
	struct rule_node *root;         /* NULL: always true */
	const struct logic_value *full; /* with functions: what is evaluated instead, else NULL */
};

struct rule_op_row {
	const char *logic, *expr;
	int kids;
};
extern const struct rule_op_row rule_op_rows[OP_COUNT];

/* A function of expressions and the operation of JsonLogic that it is. */
struct rule_call {
	const char *name, *logic, *usage;
	int least, most; /* arguments */
};
/* NULL when there is none. By JsonLogic's name: lt and le only when all else has gone. */
const struct rule_call *rule_call_named(const char *name);
const struct rule_call *rule_call_of(const char *logic);
/* Whether the second argument sees an element instead of the event. */
bool rule_call_scoped(const struct rule_call *c);
/* Errors: TA_INVALID: too few or too many arguments. */
TA_MUST enum ta_rc rule_call_check(const struct rule_node *n, struct ta_err *err);
/* What a program needs when its tree is complete: not too deep to be read back, and its JsonLogic
 * when it calls functions. Errors: TA_INVALID. */
TA_MUST enum ta_rc rule_prog_seal(struct arena *a, struct rule_prog *p, struct ta_err *err);

struct rule_node *rule_node_new(struct arena *a, enum rule_op op, size_t at);
struct rule_node *rule_node_string(struct arena *a, const char *s, size_t at);
struct rule_node *rule_node_number(struct arena *a, double n, size_t at);
struct rule_node *rule_node_var(struct arena *a, const char *path, size_t at);
void rule_node_add(struct arena *a, struct rule_node *n, struct rule_node *kid);
/* Two kids, or one when b is NULL. */
struct rule_node *rule_node_of(
	struct arena *a, enum rule_op op, struct rule_node *x, struct rule_node *y, size_t at);
/* What a finished node needs before it can be evaluated: patterns compiled, constant lists laid
 * out. Errors: TA_INVALID. */
TA_MUST enum ta_rc rule_node_seal(
	struct arena *a, struct rule_node *n, size_t *at, struct ta_err *err);
/* `failed` is no disposition of its own: compared with a state it becomes rejected or dead. What a
 * text begins with, ends in or matches is a text. */
struct rule_node *rule_node_normal(struct arena *a, struct rule_node *n);
/* A number that is sought in a field of texts is a text: ids and postal codes are texts in events,
 * and JsonLogic's `in` compares strictly. The fields of elements stay as they are. */
void rule_node_texts(struct arena *a, struct rule_node *n);
bool rule_node_true(const struct rule_node *n); /* the constant true */
/* The op of a JsonLogic name, OP_COUNT if unknown. */
enum rule_op rule_op_of(const char *logic);

/* Texts: a number as the shortest decimal that reads back, a JSON string, a value as JSON. */
void rule_put_number(struct buf *b, double n);
void rule_put_string(struct buf *b, const char *s);
void rule_put_value(struct buf *b, const struct rule_value *v);
void rule_put_expr(struct buf *b, const struct rule_node *n);
/* A word that is part of the grammar, in lower case or capitals. */
bool rule_keyword(const char *word);

/* Tokens of an expression. */
enum token_kind {
	TOK_END,
	TOK_WORD,    /* bare word; text */
	TOK_STRING,  /* quoted; text decoded */
	TOK_NUMBER,  /* n */
	TOK_SPAN,    /* duration without a sign; n seconds */
	TOK_AGO,     /* duration with a sign; n seconds */
	TOK_INSTANT, /* n Unix seconds */
	TOK_MONEY,   /* 50EUR; n, text = currency */
	TOK_FIELD,   /* @name or @"name"; text */
	TOK_OP,      /* comparison; op */
	TOK_NOT,     /* ! */
	TOK_BOOL,    /* !! */
	TOK_AND,     /* && */
	TOK_OR,      /* || */
	TOK_OPEN,
	TOK_CLOSE,
	TOK_LIST,
	TOK_UNLIST,
	TOK_COMMA,
};
struct token {
	enum token_kind kind;
	size_t at, len; /* bytes of the expression */
	const char *text;
	double n;
	enum rule_op op;
};
struct rule_lexer {
	struct arena *a;
	const char *text;
	size_t pos;
};
bool rule_word_byte(char c); /* may stand within a bare word */
/* The next token. Errors: TA_INVALID, *at says where. */
TA_MUST enum ta_rc rule_lex(
	struct rule_lexer *lx, struct token *out, size_t *at, struct ta_err *err);

#endif
