/* A mail of plain text as it goes over SMTP: RFC 5322 (headers), RFC 2047 (encoded words), RFC 2045
 * (quoted-printable), RFC 3834 (it answers to nobody). Pure. */
#ifndef TA_MAIL_H
#define TA_MAIL_H

#include "src/err.h"

#include <stddef.h>
#include <stdint.h>

struct buf;

#define MAIL_TO_MAX      16
#define MAIL_ADDRESS_MAX 254 /* RFC 5321: a path of 256 with its brackets */

/* "local@host", ASCII, nothing that could end a header or a command: no space, control byte,
 * bracket, quote or comma. */
TA_MUST bool mail_address_ok(const char *s, size_t n);

/* Addresses of "a@example.com, b@example.com". */
struct mail_list {
	size_t n;
	char at[MAIL_TO_MAX][MAIL_ADDRESS_MAX + 1];
};
/* Errors: TA_INVALID (none at all, too many, one that is no address; the sentence quotes it). */
TA_MUST enum ta_rc mail_list_read(const char *text, struct mail_list *out, struct ta_err *err);

struct mail {
	const char *from; /* passed mail_address_ok() */
	const struct mail_list *to;
	const char *id;      /* of the Message-ID, in front of from's host: [A-Za-z0-9.-]+ */
	const char *subject; /* UTF-8; control bytes become spaces */
	const char *text;    /* UTF-8, lines end in \n */
	int64_t at_us;
};
/* Appends the whole message, lines ending in CRLF; dots are doubled by who sends it. */
void mail_write(struct buf *b, const struct mail *m);

#endif
