/* Reading JSON (RFC 8259) into an arena: one copy of the body, decoded in place, numbers kept as
 * their text, so that an 18-digit id and an amount stay exact. About five times faster than a
 * tree of reference-counted objects, and nothing to free. Names start with jv_ because json_
 * belongs to jansson. */
#ifndef TA_JSON_H
#define TA_JSON_H

#include "src/attr.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;

#define JV_MAX_DEPTH 64

enum jv_type { JV_NULL, JV_BOOL, JV_NUMBER, JV_STRING, JV_ARRAY, JV_OBJECT };

/* A value. Text is NUL-terminated, valid UTF-8 and lives in the arena. */
struct jv {
	enum jv_type type;
	bool b;
	uint32_t key_len, len;         /* of key and s */
	const char *key;               /* name inside an object, NULL else */
	const char *s;                 /* JV_STRING: the text; JV_NUMBER: the literal; NULL else */
	const struct jv *child, *next; /* first member or element; next sibling */
};

enum jv_status { JV_FINE, JV_INVALID, JV_TOO_DEEP };

/* Parses exactly one value. `at` (may be NULL) is the offset of the fault. An escaped NUL or lone
 * surrogate becomes U+FFFD; bytes that are not UTF-8 are JV_INVALID; nesting beyond
 * JV_MAX_DEPTH is JV_TOO_DEEP. Of equal names the last counts. */
TA_MUST enum jv_status jv_parse(
	struct arena *a, const char *p, size_t len, const struct jv **out, size_t *at);

/* All getters take NULL or a value of another type for the object and then find nothing. */
const struct jv *jv_get(const struct jv *object, const char *name);    /* NULL: absent or null */
const struct jv *jv_object(const struct jv *object, const char *name); /* only an object */
const struct jv *jv_array(const struct jv *object, const char *name);  /* only an array */
size_t jv_count(const struct jv *v);                                   /* members or elements */
/* String, NULL when absent, null, another type, or blank (only spaces). Not trimmed. */
const char *jv_str(const struct jv *object, const char *name);
/* String or number as text (ids, amounts), NULL else. */
const char *jv_text(const struct jv *object, const char *name);
/* true for true; "true"/"1"/1 are not. */
bool jv_bool(const struct jv *object, const char *name);
/* A whole number, given as number or as string of digits; false when there is none or it is out
 * of range. 2.0 counts as 2. */
TA_MUST bool jv_int(const struct jv *object, const char *name, int64_t *out);

/* The same for one value. */
const char *jv_text_of(const struct jv *v);
TA_MUST bool jv_int_of(const struct jv *v, int64_t *out);

struct buf;
/* Appends v as compact JSON; equal values give equal bytes, members keep their order. */
void jv_write(struct buf *b, const struct jv *v);

#endif
