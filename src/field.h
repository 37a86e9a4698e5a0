/* One schema of a setting: what a store, pixel, rule or key consists of. The command line, the
 * console's forms, validation, the audit diff and JSON all follow from these rows. Values are text
 * (bool "true"/"false", numbers decimal, references by name); NULL = not set. */
#ifndef TA_FIELD_H
#define TA_FIELD_H

#include "src/err.h"

#include <stddef.h>
#include <stdint.h>

struct buf;

enum field_type { FIELD_TEXT, FIELD_INT, FIELD_BOOL, FIELD_CHOICE, FIELD_REF, FIELD_TIME };

enum field_flag {
	FIELD_REQUIRED = 1, /* no row without it */
	FIELD_SECRET = 2,   /* sealed; reads as "set" */
	FIELD_READONLY = 4, /* the program's own, never given */
	FIELD_FIXED = 8,    /* given when the row is made, never changed */
	FIELD_LOWER = 16,   /* folded to lower case */
	FIELD_UPPER = 32,   /* folded to upper case */
	FIELD_WIDE = 64,    /* shown by `show` and forms, not in lists */
	FIELD_LINES =
		256, /* a list that may be long: line ends count as commas; @FILE in commands */
	FIELD_TWIN = 128, /* another spelling of a field: for commands, not for forms */
};

struct ta_field {
	const char *name;  /* "webhook_secret": JSON name; --webhook-secret */
	const char *title; /* "Webhook secret" */
	enum field_type type;
	unsigned flags;
	const char *choices; /* FIELD_CHOICE: "shopify|meta|custom" */
	const char *ref;     /* FIELD_REF: word of the table */
	int64_t min, max;    /* FIELD_INT: value; FIELD_TEXT: bytes (0, 0: up to 200) */
	/* On the folded value. Sets err->msg; the field's name is put in by the caller. */
	enum ta_rc (*check)(const char *value, struct ta_err *err);
	const char *def; /* NULL: none */
	const char *help;
};

/* Index of a field, -1 if there is none. */
int field_index(const struct ta_field *fields, size_t n, const char *name);
/* Checks a given value ("" = unset) and appends its canonical form to `out`. Errors: TA_INVALID
 * with err->field and a sentence. */
TA_MUST enum ta_rc field_clean(
	const struct ta_field *f, const char *value, struct buf *out, struct ta_err *err);

/* Checks for rows. A name: no control bytes, no slash, not only digits (that is an id). */
enum ta_rc field_check_name(const char *v, struct ta_err *err);
enum ta_rc field_check_currency(const char *v, struct ta_err *err); /* ISO 4217 */
enum ta_rc field_check_domain(const char *v, struct ta_err *err);   /* a host name */
enum ta_rc field_check_timezone(const char *v, struct ta_err *err); /* shape of an IANA name */
enum ta_rc field_check_account(const char *v, struct ta_err *err);  /* letters, digits, _ - . */
/* ^[a-z0-9][a-z0-9-]*\.myshopify\.com$ */
bool field_is_shopify_domain(const char *v);

#endif
