/* Who sent this? Signatures over raw bytes, keys, and the key that makes a receipt unique. */
#ifndef NET_AUTH_H
#define NET_AUTH_H

#include "db/caller.h"
#include "db/inbox.h"

/* Is the base64 HMAC-SHA256 of the raw body right under the shop's current or previous secret?
 * Constant time in the digests (CONTRACTS 4.1). */
TA_MUST bool auth_signature(
	const struct caller_shop *shop, const char *given, const void *body, size_t n);
/* The key of "Authorization: Bearer KEY"; NULL when the header is absent or of another kind.
 * Borrowed from it. */
const char *auth_bearer(const char *header);
/* Looks a key up by its SHA-256; NULL: unknown or revoked. */
const struct caller_key *auth_key(const struct callers *c, const char *key);
/* May this key send events? Public ones only from browsers, `browser` tells. */
TA_MUST bool auth_may_track(const struct caller_key *k, bool browser);

/* Fills row->key from (store, source, topic, webhook id), or without an id from topic and body
 * hash: a receipt is stored once. */
void receipt_key(struct inbox_row *row);

#endif
