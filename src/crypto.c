#include "src/crypto.h"

#include "src/buf.h"

/* SHA256_Init() and its sisters: deprecated in OpenSSL 3, and four times as fast as the rest. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/kdf.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* In three steps: SHA256() of OpenSSL 3 looks its algorithm up at every call, 294 ns for an e-mail
 * address against 52, and an event on its way out has a dozen of them. */
void crypto_sha256(const void *p, size_t n, uint8_t out[SHA256_LEN])
{
	SHA256_CTX c;
	SHA256_Init(&c);
	SHA256_Update(&c, p, n);
	SHA256_Final(out, &c);
}

void crypto_sha256_hex(const void *p, size_t n, char out[65])
{
	uint8_t d[SHA256_LEN];
	crypto_sha256(p, n, d);
	hex_encode(d, sizeof(d), out);
}

void crypto_hmac_sha256(
	const void *key, size_t nkey, const void *p, size_t n, uint8_t out[SHA256_LEN])
{
	unsigned len = 0;
	if (!HMAC(EVP_sha256(), key, (int)nkey, p, n, out, &len) || len != SHA256_LEN)
		ta_die("OpenSSL cannot compute HMAC-SHA256");
}

bool crypto_equal(const void *a, const void *b, size_t n)
{
	return CRYPTO_memcmp(a, b, n) == 0;
}

void crypto_random(void *p, size_t n)
{
	if (RAND_bytes(p, (int)n) != 1)
		ta_die("the system gives no random bytes");
}

void crypto_wipe(void *p, size_t n)
{
	OPENSSL_cleanse(p, n);
}

void hex_encode(const void *p, size_t n, char *out)
{
	static const char digits[] = "0123456789abcdef";
	const uint8_t *in = p;
	for (size_t i = 0; i < n; i++) {
		out[2 * i] = digits[in[i] >> 4];
		out[2 * i + 1] = digits[in[i] & 15];
	}
	out[2 * n] = '\0';
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

bool hex_decode(const char *s, size_t n, uint8_t *out)
{
	if (n % 2)
		return false;
	for (size_t i = 0; i < n; i += 2) {
		int hi = hex_value(s[i]), lo = hex_value(s[i + 1]);
		if (hi < 0 || lo < 0)
			return false;
		out[i / 2] = (uint8_t)(hi << 4 | lo);
	}
	return true;
}

static int base64_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

long base64_decode(const char *s, size_t n, uint8_t *out, size_t cap)
{
	size_t pad = 0, len = 0;
	if (n % 4)
		return -1;
	while (pad < 2 && pad < n && s[n - 1 - pad] == '=')
		pad++;
	for (size_t i = 0; i < n; i += 4) {
		uint32_t v = 0;
		size_t take = i + 4 == n ? 4 - pad : 4;
		for (size_t k = 0; k < 4; k++) {
			int d = k < take ? base64_value(s[i + k]) : 0;
			if (d < 0)
				return -1;
			v = v << 6 | (uint32_t)d;
		}
		for (size_t k = 0; k + 1 < take; k++) {
			if (len == cap)
				return -1;
			out[len++] = (uint8_t)(v >> (16 - 8 * k));
		}
	}
	return (long)len;
}

void base64_encode(const void *p, size_t n, char *out)
{
	EVP_EncodeBlock((unsigned char *)out, p, (int)n);
}

/* Sealing ---------------------------------------------------------------------------------- */

void seal_keypair(uint8_t pub[SEAL_KEY_LEN], uint8_t priv[SEAL_KEY_LEN])
{
	struct ta_err err;
	crypto_random(priv, SEAL_KEY_LEN);
	if (seal_public(priv, pub, &err))
		ta_die("%s", err.msg);
}

enum ta_rc seal_public(
	const uint8_t priv[SEAL_KEY_LEN], uint8_t pub[SEAL_KEY_LEN], struct ta_err *err)
{
	size_t n = SEAL_KEY_LEN;
	EVP_PKEY *k = EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, NULL, priv, SEAL_KEY_LEN);
	bool ok = k && EVP_PKEY_get_raw_public_key(k, pub, &n) == 1 && n == SEAL_KEY_LEN;
	EVP_PKEY_free(k);
	return ok ? TA_OK : ta_fail(err, TA_BUG, "OpenSSL refuses an X25519 key");
}

void seal_fingerprint(const uint8_t pub[SEAL_KEY_LEN], char out[17])
{
	uint8_t d[SHA256_LEN];
	crypto_sha256(pub, SEAL_KEY_LEN, d);
	hex_encode(d, 8, out);
}

/* The shared secret of a private key and a peer's public key. */
static bool agree(const uint8_t *priv, const uint8_t *peer, uint8_t out[32])
{
	size_t n = 32;
	EVP_PKEY *a = EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, NULL, priv, SEAL_KEY_LEN);
	EVP_PKEY *b = EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, NULL, peer, SEAL_KEY_LEN);
	EVP_PKEY_CTX *c = a && b ? EVP_PKEY_CTX_new(a, NULL) : NULL;
	bool ok = c && EVP_PKEY_derive_init(c) == 1 && EVP_PKEY_derive_set_peer(c, b) == 1 &&
		  EVP_PKEY_derive(c, out, &n) == 1 && n == 32;
	EVP_PKEY_CTX_free(c);
	EVP_PKEY_free(a);
	EVP_PKEY_free(b);
	return ok;
}

/* AES key from the shared secret, bound to both public halves. */
static bool derive(
	const uint8_t secret[32], const uint8_t *ephemeral, const uint8_t *pub, uint8_t key[32])
{
	uint8_t salt[64];
	static const unsigned char info[] = "trackai seal v1";
	size_t n = 32;
	memcpy(salt, ephemeral, 32);
	memcpy(salt + 32, pub, 32);
	EVP_PKEY_CTX *c = EVP_PKEY_CTX_new_id(EVP_PKEY_HKDF, NULL);
	bool ok = c && EVP_PKEY_derive_init(c) == 1 &&
		  EVP_PKEY_CTX_set_hkdf_md(c, EVP_sha256()) == 1 &&
		  EVP_PKEY_CTX_set1_hkdf_salt(c, salt, sizeof(salt)) == 1 &&
		  EVP_PKEY_CTX_set1_hkdf_key(c, secret, 32) == 1 &&
		  EVP_PKEY_CTX_add1_hkdf_info(c, info, sizeof(info) - 1) == 1 &&
		  EVP_PKEY_derive(c, key, &n) == 1;
	EVP_PKEY_CTX_free(c);
	return ok;
}

/* AES-256-GCM: what goes in, and where it goes. The tag stands behind the ciphertext. */
struct gcm {
	const uint8_t *key, *nonce;
	const char *aad;
	const uint8_t *in; /* text; to open: ciphertext and tag */
	size_t n;          /* bytes of the text */
	uint8_t *out;
};

static bool gcm_seal(const struct gcm *g)
{
	int len = 0, tail = 0;
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
	bool ok = c && EVP_EncryptInit_ex(c, EVP_aes_256_gcm(), NULL, g->key, g->nonce) == 1 &&
		  EVP_EncryptUpdate(c, NULL, &len, (const uint8_t *)g->aad, (int)strlen(g->aad)) ==
			  1 &&
		  EVP_EncryptUpdate(c, g->out, &len, g->in, (int)g->n) == 1 &&
		  EVP_EncryptFinal_ex(c, g->out + len, &tail) == 1 &&
		  EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_GET_TAG, 16, g->out + g->n) == 1;
	EVP_CIPHER_CTX_free(c);
	return ok;
}

static bool gcm_open(const struct gcm *g)
{
	int len = 0, tail = 0;
	uint8_t tag[16];
	memcpy(tag, g->in + g->n, sizeof(tag));
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
	bool ok = c && EVP_DecryptInit_ex(c, EVP_aes_256_gcm(), NULL, g->key, g->nonce) == 1 &&
		  EVP_DecryptUpdate(c, NULL, &len, (const uint8_t *)g->aad, (int)strlen(g->aad)) ==
			  1 &&
		  EVP_DecryptUpdate(c, g->out, &len, g->in, (int)g->n) == 1 &&
		  EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_SET_TAG, 16, tag) == 1 &&
		  EVP_DecryptFinal_ex(c, g->out + len, &tail) == 1;
	EVP_CIPHER_CTX_free(c);
	return ok;
}

enum ta_rc seal(const uint8_t pub[SEAL_KEY_LEN], const char *aad, const void *p, size_t n,
	uint8_t *out, struct ta_err *err)
{
	uint8_t priv[32], eph[32], secret[32], key[32], digest[SHA256_LEN];
	crypto_sha256(pub, SEAL_KEY_LEN, digest);
	seal_keypair(eph, priv);
	uint8_t *o = out;
	*o++ = 1;
	memcpy(o, digest, 8);
	memcpy(o + 8, eph, 32);
	crypto_random(o + 40, 12);
	const struct gcm g = {
		.key = key, .nonce = o + 40, .aad = aad, .in = p, .n = n, .out = o + 52};
	bool ok = agree(priv, pub, secret) && derive(secret, eph, pub, key) && gcm_seal(&g);
	crypto_wipe(priv, sizeof(priv));
	crypto_wipe(secret, sizeof(secret));
	crypto_wipe(key, sizeof(key));
	return ok ? TA_OK : ta_fail(err, TA_BUG, "OpenSSL cannot seal a secret");
}

enum ta_rc seal_open(const uint8_t priv[SEAL_KEY_LEN], const char *aad, const uint8_t *p, size_t n,
	uint8_t *out, struct ta_err *err)
{
	uint8_t pub[32], secret[32], key[32], digest[SHA256_LEN];
	if (n < SEAL_OVERHEAD || p[0] != 1)
		return ta_fail(err, TA_DENIED, "a sealed secret is damaged; set it again");
	enum ta_rc rc = seal_public(priv, pub, err);
	if (rc)
		return rc;
	crypto_sha256(pub, SEAL_KEY_LEN, digest);
	if (memcmp(digest, p + 1, 8) != 0)
		return ta_fail(err, TA_DENIED,
			"a secret is sealed to another key; put that key into the key dir or set "
			"the secret again");
	const struct gcm g = {.key = key,
		.nonce = p + 41,
		.aad = aad,
		.in = p + 53,
		.n = n - SEAL_OVERHEAD,
		.out = out};
	bool ok = agree(priv, p + 9, secret) && derive(secret, p + 9, pub, key) && gcm_open(&g);
	crypto_wipe(secret, sizeof(secret));
	crypto_wipe(key, sizeof(key));
	return ok ? TA_OK
		  : ta_fail(err, TA_DENIED,
			    "a sealed secret belongs to another row or is damaged; set it again");
}

/* Boxes -------------------------------------------------------------------------------------- */

enum ta_rc box_key(const struct box_pass *pass, struct box_key *out, struct ta_err *err)
{
	uint8_t bytes[64];
	uint64_t n = UINT64_C(1) << pass->cost;
	TA_ASSERT(pass->cost >= BOX_COST_MIN && pass->cost <= BOX_COST_MAX);
	if (EVP_PBE_scrypt(pass->p, pass->n, pass->salt, BOX_SALT_LEN, n, 8, 1, 2 * 1024 * n, bytes,
		    sizeof(bytes)) != 1)
		return ta_fail(err, TA_BUG, "OpenSSL cannot compute scrypt with %llu KiB of memory",
			(unsigned long long)n);
	memcpy(out->encrypt, bytes, 32);
	memcpy(out->nonce, bytes + 32, 32);
	crypto_wipe(bytes, sizeof(bytes));
	return TA_OK;
}

static bool box_nonce(
	const struct box_key *key, const char *aad, const void *p, size_t n, uint8_t nonce[12])
{
	uint8_t mac[SHA256_LEN];
	unsigned len = 0;
	HMAC_CTX *c = HMAC_CTX_new();
	bool ok = c && HMAC_Init_ex(c, key->nonce, 32, EVP_sha256(), NULL) == 1 &&
		  HMAC_Update(c, (const uint8_t *)aad, strlen(aad) + 1) == 1 &&
		  HMAC_Update(c, p, n) == 1 && HMAC_Final(c, mac, &len) == 1;
	HMAC_CTX_free(c);
	memcpy(nonce, mac, 12);
	return ok;
}

enum ta_rc box_seal(const struct box_key *key, const char *aad, const void *p, size_t n,
	uint8_t *out, struct ta_err *err)
{
	const struct gcm g = {
		.key = key->encrypt, .nonce = out, .aad = aad, .in = p, .n = n, .out = out + 12};
	if (!box_nonce(key, aad, p, n, out) || !gcm_seal(&g))
		return ta_fail(err, TA_BUG, "OpenSSL cannot encrypt with AES-256-GCM");
	return TA_OK;
}

enum ta_rc box_open(const struct box_key *key, const char *aad, const uint8_t *p, size_t n,
	uint8_t *out, struct ta_err *err)
{
	const struct gcm g = {.key = key->encrypt,
		.nonce = p,
		.aad = aad,
		.in = p + 12,
		.n = n - BOX_OVERHEAD,
		.out = out};
	if (n < BOX_OVERHEAD || !gcm_open(&g))
		return ta_fail(err, TA_DENIED,
			"the secrets do not open: the passphrase is another one, or they are "
			"damaged");
	return TA_OK;
}

/* Certificates ----------------------------------------------------------------------------------
 */

struct crypto_ca {
	EVP_PKEY *key;
	X509 *cert;
};

static void must(bool ok)
{
	if (!ok)
		ta_die("OpenSSL cannot make a certificate");
}

static void add_extension(X509 *cert, int what, const char *value)
{
	X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, what, value);
	must(e && X509_add_ext(cert, e, -1));
	X509_EXTENSION_free(e);
}

static X509 *new_cert(EVP_PKEY *key, const struct crypto_cert *what)
{
	X509 *cert = X509_new();
	uint32_t serial;
	crypto_random(&serial, sizeof(serial));
	must(cert && X509_set_version(cert, X509_VERSION_3) &&
		ASN1_INTEGER_set(X509_get_serialNumber(cert), (long)(serial >> 1)) &&
		X509_time_adj_ex(X509_getm_notBefore(cert), (int)what->from_days, -3600, NULL) &&
		X509_time_adj_ex(X509_getm_notAfter(cert), (int)what->to_days, 0, NULL) &&
		X509_set_pubkey(cert, key) &&
		X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN", MBSTRING_ASC,
			(const unsigned char *)what->name, -1, -1, 0));
	return cert;
}

struct crypto_ca *crypto_ca_new(const char *name)
{
	struct crypto_ca *ca = ta_alloc(sizeof(*ca));
	const struct crypto_cert what = {name, -1, 365};
	ca->key = EVP_EC_gen("P-256");
	must(ca->key != NULL);
	ca->cert = new_cert(ca->key, &what);
	add_extension(ca->cert, NID_basic_constraints, "critical,CA:TRUE");
	must(X509_set_issuer_name(ca->cert, X509_get_subject_name(ca->cert)) &&
		X509_sign(ca->cert, ca->key, EVP_sha256()));
	return ca;
}

void crypto_ca_free(struct crypto_ca *ca)
{
	if (!ca)
		return;
	X509_free(ca->cert);
	EVP_PKEY_free(ca->key);
	free(ca);
}

static void add_bio(BIO *bio, struct buf *out)
{
	char *p;
	long n = BIO_get_mem_data(bio, &p);
	must(n > 0);
	buf_add(out, p, (size_t)n);
	BIO_free(bio);
}

static void add_cert(X509 *cert, struct buf *out)
{
	BIO *bio = BIO_new(BIO_s_mem());
	must(bio && PEM_write_bio_X509(bio, cert));
	add_bio(bio, out);
}

void crypto_ca_pem(const struct crypto_ca *ca, struct buf *out)
{
	add_cert(ca->cert, out);
}

void crypto_ca_sign(const struct crypto_ca *ca, const struct crypto_cert *what, struct buf *key,
	struct buf *cert)
{
	char names[300];
	EVP_PKEY *k = EVP_EC_gen("P-256");
	BIO *bio = BIO_new(BIO_s_mem());
	must(k && bio);
	X509 *c = new_cert(k, what);
	bool address = what->name[strspn(what->name, "0123456789.")] == '\0';
	snprintf(names, sizeof(names), "%s:%.250s", address ? "IP" : "DNS", what->name);
	add_extension(c, NID_subject_alt_name, names);
	must(X509_set_issuer_name(c, X509_get_subject_name(ca->cert)) &&
		X509_sign(c, ca->key, EVP_sha256()) &&
		PEM_write_bio_PrivateKey(bio, k, NULL, NULL, 0, NULL, NULL));
	add_bio(bio, key);
	add_cert(c, cert);
	X509_free(c);
	EVP_PKEY_free(k);
}
