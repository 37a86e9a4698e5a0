#include "src/book_key.h"

#include "src/buf.h"
#include "src/crypto.h"

#include <string.h>

void book_key(const uint8_t store_uid[16], const char *kind, const char *natural_id,
	uint8_t out[BOOK_KEY_LEN])
{
	uint8_t digest[SHA256_LEN];
	char uid[33];
	struct buf b = BUF_INIT(1 << 20);
	hex_encode(store_uid, 16, uid);
	buf_adds(&b, uid);
	buf_addc(&b, '/');
	buf_adds(&b, kind);
	buf_addc(&b, '/');
	buf_adds(&b, natural_id);
	crypto_sha256(buf_str(&b), b.len, digest);
	memcpy(out, digest, BOOK_KEY_LEN);
	buf_release(&b);
}

void book_wire_id(const uint8_t key[BOOK_KEY_LEN], char out[WIRE_ID_MAX + 1])
{
	hex_encode(key, BOOK_KEY_LEN, out);
}

bool wire_id_valid(const char *id)
{
	size_t n = id ? strlen(id) : 0;
	return n >= 8 && n <= WIRE_ID_MAX &&
	       strspn(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-") == n;
}
