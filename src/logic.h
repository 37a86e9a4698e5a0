/* JsonLogic (https://jsonlogic.com) whole, with the meaning that its reference implementation in
 * JavaScript has: conversions, comparison, text and numbers follow ECMAScript 2023 (7.1 type
 * conversion, 7.2.12-14 comparison, 6.1.6.1.20 number to text). A rule and its data are the same
 * kind of value. Bounded in size, depth, steps and memory. */
#ifndef TA_LOGIC_H
#define TA_LOGIC_H

#include "src/err.h"
#include "src/rule.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;
struct buf;
struct pattern;

#define LOGIC_MAX_DEPTH  64        /* operations and lists inside each other in a rule */
#define LOGIC_MAX_NEST   256       /* lists and objects inside each other in a value */
#define LOGIC_MAX_STEPS  1000000   /* operations and list elements that one evaluation looks at */
#define LOGIC_MAX_TEXT   (1 << 20) /* bytes of a text made by cat, join or substr */
#define LOGIC_MAX_MEMORY (64 << 20)

enum logic_type {
	LOGIC_UNDEFINED,
	LOGIC_NULL,
	LOGIC_BOOL,
	LOGIC_NUMBER,
	LOGIC_STRING, /* UTF-8; half a surrogate pair is its three bytes of WTF-8 */
	LOGIC_ARRAY,
	LOGIC_OBJECT,
	LOGIC_SOURCE, /* an event: its fields are asked for by name */
};

/* Immutable, in an arena. Two arrays or objects are the same one when `items` is. */
struct logic_value {
	uint8_t type;
	uint8_t op;     /* object with one key: number of the operation + 1 */
	uint16_t depth; /* lists and objects inside each other */
	uint32_t n;     /* bytes of a text, elements, members */
	union {
		bool b;
		double num;
		const char *s; /* NUL behind it */
		const struct logic_value *items;
		struct logic_value *made; /* the items, while they are being made */
		const struct rule_source *source;
	};
	union {
		const char *const *keys;       /* of an object, n of them */
		const struct pattern *pattern; /* a constant pattern of `matches`, compiled */
		long field; /* a constant name of `var`: field.def's number + 1 */
	};
};

/* Borrows nothing from j. Errors: TA_INVALID (nested too deep). */
TA_MUST enum ta_rc logic_value_of(
	struct arena *a, json_t *j, struct logic_value *out, struct ta_err *err);
/* As JSON.stringify: what JSON cannot say (undefined, NaN, infinity) is null. */
void logic_put(struct buf *b, const struct logic_value *v);

/* A rule from JSON: patterns compiled, depth checked. Unknown operations are found when they are
 * reached. Errors: TA_INVALID. */
TA_MUST enum ta_rc logic_rule_of(
	struct arena *a, json_t *j, struct logic_value *out, struct ta_err *err);
/* Evaluates. Errors: TA_INVALID (unknown operation, a bound was reached, or what JavaScript would
 * throw). What *out refers to lives in the arena, the rule or the data. */
TA_MUST enum ta_rc logic_apply(const struct logic_value *rule, const struct logic_value *data,
	struct arena *a, struct logic_value *out, struct ta_err *err);
/* Truth as JsonLogic sees it: an empty list is false. */
bool logic_truthy(const struct logic_value *v);
/* Where a rule over events looks its fields up: in comparisons a missing side is never ordered. */
struct logic_value logic_value_of_source(const struct rule_source *src);
/* Appends {"field":value,…}: the fields that a rule names at its top, as they are. */
void logic_put_seen(struct buf *b, const struct logic_value *rule, const struct rule_source *src,
	struct arena *a);

#endif
