/* Appending JSON to a struct buf: strings escaped, commas placed, money as decimal text. Every
 * function takes the member's name, NULL inside an array. What is NULL is left out. */
#ifndef TA_JSONW_H
#define TA_JSONW_H

#include "src/money.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;

struct jsonw {
	struct buf *b; /* borrowed */
	bool comma;    /* something precedes on this level */
};

#define JSONW_INIT(buf_) ((struct jsonw){.b = (buf_)})

void jsonw_open(struct jsonw *w, const char *name, char bracket); /* '{' or '[' */
void jsonw_close(struct jsonw *w, char bracket);                  /* '}' or ']' */
void jsonw_str(struct jsonw *w, const char *name, const char *s);
void jsonw_int(struct jsonw *w, const char *name, int64_t v);
void jsonw_bool(struct jsonw *w, const char *name, bool v);
void jsonw_raw(struct jsonw *w, const char *name, const char *json);        /* JSON text as it is */
void jsonw_money(struct jsonw *w, const char *name, struct money m);        /* a string: "72.39" */
void jsonw_money_number(struct jsonw *w, const char *name, struct money m); /* a number: 72.39 */

/* Appends s as a JSON string with its quotes; invalid UTF-8 becomes U+FFFD. */
void json_quote(struct buf *b, const char *s, size_t n);

#endif
