#include "net/auth.h"

#include "src/crypto.h"

#include <string.h>
#include <strings.h>

bool auth_signature(const struct caller_shop *shop, const char *given, const void *body, size_t n)
{
	uint8_t want[SHA256_LEN], got[SHA256_LEN];
	bool right = false;
	if (base64_decode(given, strlen(given), got, sizeof(got)) != SHA256_LEN)
		return false;
	for (size_t i = 0; i < TA_COUNT(shop->secret); i++) {
		const struct caller_secret *s = &shop->secret[i];
		if (right || !s->n)
			continue;
		crypto_hmac_sha256(s->p, s->n, body, n, want);
		right = crypto_equal(want, got, sizeof(want));
	}
	return right;
}

const char *auth_bearer(const char *header)
{
	if (!header || strncasecmp(header, "Bearer ", 7) != 0)
		return NULL;
	header += 7;
	while (*header == ' ')
		header++;
	return *header ? header : NULL;
}

const struct caller_key *auth_key(const struct callers *c, const char *key)
{
	uint8_t hash[SHA256_LEN];
	crypto_sha256(key, strlen(key), hash);
	return callers_key(c, hash);
}

bool auth_may_track(const struct caller_key *k, bool browser)
{
	if (browser)
		return k->scope == SCOPE_PUBLIC;
	return k->scope == SCOPE_TRACK || k->scope == SCOPE_WRITE || k->scope == SCOPE_ADMIN ||
	       k->scope == SCOPE_CANARY;
}

/* Parts with their lengths in front: ("ab", "c") and ("a", "bc") are two keys. The zero behind a
 * part is written and not counted: the next part goes over it. */
static size_t put_text(uint8_t *to, const char *s)
{
	uint32_t n = (uint32_t)strlen(s);
	memcpy(to, &n, sizeof(n));
	memcpy(to + sizeof(n), s, (size_t)n + 1);
	return sizeof(n) + n;
}

void receipt_key(struct inbox_row *row)
{
	uint8_t text[1024], digest[SHA256_LEN];
	size_t n = 0;
	TA_ASSERT(strlen(row->topic) + strlen(row->webhook_id) < sizeof(text) - 64);
	memcpy(text, &row->store_id, 4);
	memcpy(text + 4, &row->source, 2);
	n = 6;
	n += put_text(text + n, row->topic);
	if (*row->webhook_id) {
		text[n++] = 'i';
		n += put_text(text + n, row->webhook_id);
	} else {
		text[n++] = 'b';
		memcpy(text + n, row->body_hash, sizeof(row->body_hash));
		n += sizeof(row->body_hash);
	}
	crypto_sha256(text, n, digest);
	memcpy(row->key, digest, sizeof(row->key));
}
