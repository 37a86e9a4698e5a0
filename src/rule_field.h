/* The documented fields of expressions: names, kinds and meanings (src/rule_field.def). */
#ifndef TA_RULE_FIELD_H
#define TA_RULE_FIELD_H

#include <stddef.h>

enum rule_kind {
	KIND_TEXT,
	KIND_NUMBER,
	KIND_BOOL,
	KIND_LIST,
	KIND_MONEY,
	KIND_DURATION,
	KIND_INSTANT
};

struct rule_field {
	const char *name, *meaning;
	enum rule_kind kind;
};

/* Number of a field's name, -1 if there is none; "custom.size" is the number of "custom.*". */
int rule_field_of(const char *name);
/* Borrowed; NULL behind the last. */
const struct rule_field *rule_field_get(int field);
/* The documented name that is nearest to a mistyped one, NULL when none is near. */
const char *rule_field_nearest(const char *name);

#endif
