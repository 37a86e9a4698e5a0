/* Taking people and secrets out of a JSON document that leaves the house. What identifies somebody
 * becomes "<kind:12 hex digits>", HMAC-SHA256 under a key that is made for the one document and
 * thrown away: within it equal values are seen to be equal, and nobody can try values from outside.
 * Two rounds: redact_learn() collects what stands under names that mean a person, wherever they
 * occur; redact_apply() masks those, and in all other text what was learnt, and whatever looks like
 * an e-mail address, an IP address, an international phone number or a SHA-256. */
#ifndef TA_REDACT_H
#define TA_REDACT_H

#include <jansson.h>
#include <stdint.h>

struct buf;
struct redact;

#define REDACT_KEY_LEN 32

/* The key is copied. */
struct redact *redact_new(const uint8_t key[REDACT_KEY_LEN]);
void redact_free(struct redact *r); /* wipes the key; NULL is fine */

/* May be called for several documents before the first redact_apply(). */
void redact_learn(struct redact *r, const json_t *root);
/* A value of that kind to be masked wherever it stands: a secret, an address given apart. */
void redact_word(struct redact *r, const char *kind, const char *value);
/* Masks in place. */
void redact_apply(struct redact *r, json_t *root);
/* Appends a line of text, masked. */
void redact_text(struct redact *r, const char *text, struct buf *out);

#endif
