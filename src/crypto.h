/* All cryptography of the program; the one file that includes OpenSSL is src/crypto.c. */
#ifndef TA_CRYPTO_H
#define TA_CRYPTO_H

#include "src/err.h"

#include <stddef.h>
#include <stdint.h>

#define SHA256_LEN 32

void crypto_sha256(const void *p, size_t n, uint8_t out[SHA256_LEN]);
/* Lower-case hex of the digest; out of 65 bytes. */
void crypto_sha256_hex(const void *p, size_t n, char out[65]);
void crypto_hmac_sha256(
	const void *key, size_t nkey, const void *p, size_t n, uint8_t out[SHA256_LEN]);
/* Constant time in n. */
bool crypto_equal(const void *a, const void *b, size_t n);
void crypto_random(void *p, size_t n); /* dies when the system has no randomness */
void crypto_wipe(void *p, size_t n);

void hex_encode(const void *p, size_t n, char *out);            /* 2n+1 bytes, lower case */
TA_MUST bool hex_decode(const char *s, size_t n, uint8_t *out); /* n even digits, n/2 bytes */
/* Standard alphabet with padding. Returns the number of bytes, -1 when malformed or larger than
 * cap. */
TA_MUST long base64_decode(const char *s, size_t n, uint8_t *out, size_t cap);
void base64_encode(const void *p, size_t n, char *out); /* 4*((n+2)/3)+1 bytes */

/* Sealing: X25519 + HKDF-SHA256 + AES-256-GCM to a public key; only the holder of the private
 * half opens. `aad` binds the row ("pixel:<uid>:token"). Layout of a sealed blob: version 1,
 * key fingerprint 8, ephemeral public key 32, nonce 12, ciphertext, tag 16. */
#define SEAL_KEY_LEN  32
#define SEAL_OVERHEAD (1 + 8 + 32 + 12 + 16)

void seal_keypair(uint8_t pub[SEAL_KEY_LEN], uint8_t priv[SEAL_KEY_LEN]);
/* Public half of a private key. */
TA_MUST enum ta_rc seal_public(
	const uint8_t priv[SEAL_KEY_LEN], uint8_t pub[SEAL_KEY_LEN], struct ta_err *err);
/* First 16 hex digits of SHA-256 of the public half; out of 17 bytes. */
void seal_fingerprint(const uint8_t pub[SEAL_KEY_LEN], char out[17]);
/* out of n + SEAL_OVERHEAD bytes. */
TA_MUST enum ta_rc seal(const uint8_t pub[SEAL_KEY_LEN], const char *aad, const void *p, size_t n,
	uint8_t *out, struct ta_err *err);
/* out of n - SEAL_OVERHEAD bytes. Errors: TA_DENIED (another key, another row, or damaged). */
TA_MUST enum ta_rc seal_open(const uint8_t priv[SEAL_KEY_LEN], const char *aad, const uint8_t *p,
	size_t n, uint8_t *out, struct ta_err *err);

/* Boxes: text under a passphrase. scrypt (RFC 7914; r 8, p 1, N = 2^cost, so 2^cost KiB of memory)
 * makes 64 bytes of passphrase and salt: the first 32 encrypt (AES-256-GCM), the others make the
 * nonce from the text (the first 12 bytes of HMAC-SHA256 of the aad, a NUL and the text), so that
 * the same text in the same box gives the same bytes, and no two texts share a nonce. Layout:
 * nonce 12, ciphertext, tag 16. */
#define BOX_SALT_LEN 16
#define BOX_OVERHEAD (12 + 16)
#define BOX_COST_MIN 14
#define BOX_COST     17 /* 128 MiB, a third of a second: OWASP's advice of 2023 */
#define BOX_COST_MAX 20

struct box_key {
	uint8_t encrypt[32], nonce[32]; /* crypto_wipe() it after use */
};
struct box_pass {
	const char *p; /* borrowed */
	size_t n;
	uint8_t salt[BOX_SALT_LEN];
	int cost; /* BOX_COST_MIN to BOX_COST_MAX */
};
TA_MUST enum ta_rc box_key(const struct box_pass *pass, struct box_key *out, struct ta_err *err);
/* out of n + BOX_OVERHEAD bytes. */
TA_MUST enum ta_rc box_seal(const struct box_key *key, const char *aad, const void *p, size_t n,
	uint8_t *out, struct ta_err *err);
/* out of n - BOX_OVERHEAD bytes. Errors: TA_DENIED (another passphrase, or damaged). */
TA_MUST enum ta_rc box_open(const struct box_key *key, const char *aad, const uint8_t *p, size_t n,
	uint8_t *out, struct ta_err *err);

/* Certificates for tests and rehearsals: an authority of our own and what it signs (EC P-256). */
struct crypto_ca;
struct crypto_cert {
	const char *name;        /* its subject: a host name, or an IPv4 address */
	long from_days, to_days; /* valid from and until, days from today; negative: past */
};
struct buf;
struct crypto_ca *crypto_ca_new(const char *name); /* valid for a year; dies when OpenSSL fails */
void crypto_ca_free(struct crypto_ca *ca);
void crypto_ca_pem(const struct crypto_ca *ca, struct buf *out);
/* Appends a new key and its certificate. */
void crypto_ca_sign(const struct crypto_ca *ca, const struct crypto_cert *what, struct buf *key,
	struct buf *cert);

#endif
