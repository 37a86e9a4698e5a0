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
struct logic_value;

/* A value an expression sees. Strings are borrowed from the source. Numbers carry money and
 * durations: money in major units, durations in seconds, instants in Unix seconds. */
enum rule_type { RULE_NULL, RULE_BOOL, RULE_NUMBER, RULE_STRING, RULE_LIST };
struct rule_value {
	enum rule_type type;
	bool b;
	uint8_t doubt; /* enum rule_fault: why it may not be so; for rule_ask() */
	double n;
	const char *s;
	const struct rule_value *list;
	size_t nlist;
};

/* Where values come from: an event with its delivery, or a JSON object. `get` returns false when
 * there is no such field (the value is then null). A source over the documented fields
 * (src/rule_field.h) may have get_field too, which is asked by the number that the program resolved
 * once, at compiling. get_whole (may be NULL) gives functions what no field can say: the list or
 * object that a path begins with; of JSON the path "" is all of it. `now_s` is the instant that
 * "-2h" counts from; 0: the program's clock. */
struct rule_source {
	bool (*get)(const void *data, const char *path, struct arena *a, struct rule_value *out);
	const void *data;
	bool (*get_field)(const void *data, int field, struct arena *a, struct rule_value *out);
	bool (*get_whole)(
		const void *data, const char *path, struct arena *a, struct logic_value *out);
	int64_t now_s;
};

struct rule_prog; /* compiled, immutable, lives in its arena */

#define RULE_MAX_SIZE  65536 /* bytes of an expression or of JsonLogic */
#define RULE_MAX_DEPTH 64

/* Errors: TA_INVALID; the message names what was expected and `at` (byte offset, may be NULL) says
 * where, so that a caret can be put under the token. An empty expression is always true; a text
 * that begins with { is JsonLogic. What of JsonLogic has no operator here is a function
 * (src/rule_calls.def). */
TA_MUST enum ta_rc rule_compile(
	struct arena *a, const char *expr, struct rule_prog **out, size_t *at, struct ta_err *err);
TA_MUST enum ta_rc rule_compile_logic(
	struct arena *a, const char *json, size_t len, struct rule_prog **out, struct ta_err *err);
void rule_print(const struct rule_prog *p, struct buf *b);       /* the expression */
void rule_print_logic(const struct rule_prog *p, struct buf *b); /* compact JsonLogic */

/* Appends the expression and, in a second line, a caret under the byte `at`. */
void rule_caret(struct buf *b, const char *expr, size_t at);
/* What a program over events must keep besides the grammar: fields exist (src/rule_field.def),
 * and what they are compared with could be their value. Errors: TA_INVALID; *at (may be
 * NULL) is the place in the expression. Programs over other JSON skip this. */
TA_MUST enum ta_rc rule_check_fields(const struct rule_prog *p, size_t *at, struct ta_err *err);
/* rule_compile and rule_check_fields in one: what rules and filters use. */
TA_MUST enum ta_rc rule_compile_event(
	struct arena *a, const char *expr, struct rule_prog **out, size_t *at, struct ta_err *err);

/* Why a rule could not answer for an event; rows in src/rule_faults.def. */
enum rule_fault {
#define RULE_FAULT(NAME, word, meaning) RULE_FAULT_##NAME,
#include "src/rule_faults.def"
#undef RULE_FAULT
	RULE_FAULT_COUNT
};
const char *rule_fault_word(enum rule_fault f);
const char *rule_fault_text(enum rule_fault f); /* the meaning, a half sentence */

/* One predicate that was looked at: its text, the value seen, its result. */
struct rule_step {
	const char *predicate;
	const char *seen; /* the value as JSON text */
	const char *why;  /* "value is missing": the comparison could not be made; else NULL */
	bool result;
};
struct rule_trace {
	struct rule_step *steps;
	size_t n;
};

/* True when the program matches. `trace` may be NULL; its strings live in `a`. == and != compare as
 * JsonLogic does ("5" equals 5), a list by its elements (src/logic_event.c); < <= > >= are false
 * when a side is missing or no number; nothing at run time is an error. */
bool rule_match(const struct rule_prog *p, const struct rule_source *src, struct arena *a,
	struct rule_trace *trace);

/* As a rule is asked for an event: it fails where its answer hangs on an ordering comparison that
 * could not be made, and a rule that fails does not match. The logic is Kleene's with three values:
 * such a comparison is unknown; false and unknown is false, true or unknown is true, not unknown is
 * unknown. So `exists value and value > 5` and `value > 5 and name == purchase` never fail over a
 * page view, `value > 5` does. == != in, texts and exists always have an answer. JsonLogic that no
 * expression says fails only where its evaluation is refused. */
struct rule_answer {
	bool match;
	enum rule_fault fault; /* never with match */
};
struct rule_answer rule_ask(const struct rule_prog *p, const struct rule_source *src,
	struct arena *a, struct rule_trace *trace);

#endif
