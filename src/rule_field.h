/* The documented fields of expressions: names, kinds and meanings (src/rule_field.def). */
#ifndef TA_RULE_FIELD_H
#define TA_RULE_FIELD_H

#include <stddef.h>

/* A comparison with a list holds when it holds for one of its elements. */
enum rule_kind {
	KIND_TEXT,
	KIND_NUMBER,
	KIND_BOOL,
	KIND_LIST, /* of texts */
	KIND_MONEY,
	KIND_DURATION,
	KIND_INSTANT,
	KIND_AMOUNTS, /* a list of money */
	KIND_NUMBERS, /* a list of numbers */
	KIND_ANY      /* whatever was given */
};

struct rule_field {
	const char *name, *meaning;
	enum rule_kind kind;
};

/* Number of a field's name, -1 if there is none; "custom.size" is the number of "custom.*". */
int rule_field_of(const char *name);
/* Borrowed; NULL behind the last. */
const struct rule_field *rule_field_get(int field);
/* Word i of a field that knows only certain words (name, platform, reason, …), NULL behind the last
 * and for every other field. */
const char *rule_field_word(int field, int i);
/* The documented name that is nearest to a mistyped one, NULL when none is near. */
const char *rule_field_nearest(const char *name);
/* Single-character changes from one short name to the other, 99 when one is long. */
int rule_word_distance(const char *a, const char *b);

#endif
