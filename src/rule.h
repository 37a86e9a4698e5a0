/* Expressions, JsonLogic and their evaluation: one grammar for stream filters, rules and the
 * command line (INTERFACES 6). An expression compiles to a program whose exchange form is
 * JsonLogic (https://jsonlogic.com); any program prints back as the expression. */
#ifndef TA_RULE_H
#define TA_RULE_H

#include "src/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;
struct buf;

/* A value an expression sees. Strings are borrowed from the source. Numbers carry money and
 * durations: money in major units, durations in seconds, instants in Unix seconds. */
enum rule_type { RULE_NULL, RULE_BOOL, RULE_NUMBER, RULE_STRING, RULE_LIST };
struct rule_value {
	enum rule_type type;
	bool b;
	double n;
	const char *s;
	const struct rule_value *list;
	size_t nlist;
};

/* Where values come from: an event with its delivery, or a JSON object. `get` returns false when
 * there is no such field (the value is then null). */
struct rule_source {
	bool (*get)(const void *data, const char *path, struct arena *a, struct rule_value *out);
	const void *data;
};

struct rule_prog; /* compiled, immutable, lives in its arena */

/* Errors: TA_INVALID; the message names what was expected and `at` (byte offset, may be NULL) says
 * where, so that a caret can be put under the token. An empty expression is always true. */
TA_MUST enum ta_rc rule_compile(
	struct arena *a, const char *expr, struct rule_prog **out, size_t *at, struct ta_err *err);
TA_MUST enum ta_rc rule_compile_logic(
	struct arena *a, const char *json, size_t len, struct rule_prog **out, struct ta_err *err);
void rule_print(const struct rule_prog *p, struct buf *b);       /* the expression */
void rule_print_logic(const struct rule_prog *p, struct buf *b); /* compact JsonLogic */

/* One predicate that was looked at: its text, the value seen, its result. */
struct rule_step {
	const char *predicate;
	const char *seen; /* the value as JSON text */
	bool result;
};
struct rule_trace {
	struct rule_step *steps;
	size_t n;
};

/* True when the program matches. `trace` may be NULL; its strings live in `a`. A type error or a
 * missing field makes its predicate false, never the whole thing an error. */
bool rule_match(const struct rule_prog *p, const struct rule_source *src, struct arena *a,
	struct rule_trace *trace);

#endif
