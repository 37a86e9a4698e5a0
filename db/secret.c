#include "db/secret.h"

#include "db/conn.h"
#include "src/buf.h"
#include "src/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const purposes[SECRET_PURPOSES] = {"ingest", "deliver"};

const char *secret_purpose_word(enum secret_purpose p)
{
	return purposes[p];
}

int secret_purpose_of(const char *word)
{
	for (int p = 0; p < SECRET_PURPOSES; p++)
		if (strcmp(purposes[p], word) == 0)
			return p;
	return -1;
}

struct secret_place secret_of_store(const void *uid)
{
	char hex[33];
	struct secret_place at = {.purpose = SECRET_INGEST};
	hex_encode(uid, 16, hex);
	snprintf(at.aad, sizeof(at.aad), "store:%s:webhook_secret", hex);
	return at;
}

struct secret_place secret_of_pixel(const void *uid)
{
	char hex[33];
	struct secret_place at = {.purpose = SECRET_DELIVER};
	hex_encode(uid, 16, hex);
	snprintf(at.aad, sizeof(at.aad), "pixel:%s:token", hex);
	return at;
}

static void key_path(char out[700], const char *key_dir, enum secret_purpose p)
{
	snprintf(out, 700, "%s/%s.key", key_dir, purposes[p]);
}

/* Creates every missing directory on the way; the last one is private. */
static enum ta_rc make_private_dir(const char *path, struct ta_err *err)
{
	char part[600];
	struct stat st;
	if (snprintf(part, sizeof(part), "%s", path) >= (int)sizeof(part))
		return ta_fail(err, TA_CONFIG, "the key dir's path is longer than %zu bytes",
			sizeof(part) - 1);
	for (char *p = part + 1; *p; p++)
		if (*p == '/') {
			*p = '\0';
			if (mkdir(part, 0755) && errno != EEXIST)
				return ta_fail_os(err, "cannot make the directory %s", part);
			*p = '/';
		}
	if (mkdir(part, 0700) && errno != EEXIST)
		return ta_fail_os(err, "cannot make the key dir %s", part);
	if (stat(part, &st) || !S_ISDIR(st.st_mode))
		return ta_fail(err, TA_CONFIG, "the key dir %s is no directory", part);
	if ((st.st_mode & 0077) && chmod(part, 0700))
		return ta_fail_os(err, "cannot make the key dir %s private", part);
	return TA_OK;
}

/* *found = false when there is no such file. The file holds 64 hex digits and a line end. */
static enum ta_rc read_private(
	const char *path, uint8_t priv[SEAL_KEY_LEN], bool *found, struct ta_err *err)
{
	char text[80];
	struct stat st;
	*found = false;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return TA_OK;
	if (fd < 0)
		return ta_fail_os(err, "cannot read the private key %s", path);
	enum ta_rc rc = TA_OK;
	ssize_t n = read(fd, text, sizeof(text) - 1);
	if (n < 0)
		rc = ta_fail_os(err, "cannot read the private key %s", path);
	else if (fstat(fd, &st) || (st.st_mode & 0077))
		rc = ta_fail(
			err, TA_CONFIG, "others may read the private key %s; chmod 600 it", path);
	else if (n < 64 || !hex_decode(text, 64, priv))
		rc = ta_fail(err, TA_CONFIG,
			"the private key %s is damaged; put it back from a backup", path);
	*found = !rc;
	crypto_wipe(text, sizeof(text));
	close(fd);
	return rc;
}

/* Durable before the public half is: a sealed secret must never outlive its key. */
static enum ta_rc write_private(
	const char *dir, const char *path, const uint8_t priv[SEAL_KEY_LEN], struct ta_err *err)
{
	char text[66];
	enum ta_rc rc = TA_OK;
	hex_encode(priv, SEAL_KEY_LEN, text);
	text[64] = '\n';
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0 || write(fd, text, 65) != 65 || fsync(fd))
		rc = ta_fail_os(err, "cannot write the private key %s", path);
	if (fd >= 0 && close(fd) && !rc)
		rc = ta_fail_os(err, "cannot write the private key %s", path);
	crypto_wipe(text, sizeof(text));
	int d = rc ? -1 : open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (!rc && (d < 0 || fsync(d)))
		rc = ta_fail_os(err, "cannot sync the key dir %s", dir);
	if (d >= 0)
		close(d);
	return rc;
}

static enum ta_rc public_of(struct db *db, enum secret_purpose p, uint8_t pub[SEAL_KEY_LEN],
	bool *found, struct ta_err *err)
{
	PGresult *r = NULL;
	struct db_args a = DB_ARGS_INIT;
	db_arg_text(&a, purposes[p]);
	enum ta_rc rc =
		db_query(db, "SELECT public FROM sealing_key WHERE purpose = $1", &a, &r, err);
	*found = !rc && db_rows(r) == 1 && db_bytes(r, 0, 0).n == SEAL_KEY_LEN;
	if (*found)
		memcpy(pub, db_bytes(r, 0, 0).p, SEAL_KEY_LEN);
	PQclear(r);
	db_args_release(&a);
	return rc;
}

static enum ta_rc store_public(
	struct db *db, enum secret_purpose p, const uint8_t *pub, struct ta_err *err)
{
	char print[17];
	struct db_args a = DB_ARGS_INIT;
	seal_fingerprint(pub, print);
	db_arg_text(&a, purposes[p]);
	db_arg_bytes(&a, pub, SEAL_KEY_LEN);
	db_arg_text(&a, print);
	db_arg_i64(&a, clock_now_us());
	enum ta_rc rc =
		db_query(db, "INSERT INTO sealing_key VALUES ($1, $2, $3, $4)", &a, NULL, err);
	db_args_release(&a);
	return rc;
}

/* A private half without a public one is what a crash between the two writes leaves: it is used
 * when no other database can have it, which only an operator knows, so it is simply used. */
static enum ta_rc make_pair(
	struct db *db, const char *dir, enum secret_purpose p, FILE *out, struct ta_err *err)
{
	uint8_t pub[SEAL_KEY_LEN], priv[SEAL_KEY_LEN];
	char path[700], print[17];
	bool found = false;
	enum ta_rc rc = public_of(db, p, pub, &found, err);
	if (rc || found)
		return rc;
	key_path(path, dir, p);
	rc = make_private_dir(dir, err);
	if (!rc)
		rc = read_private(path, priv, &found, err);
	if (!rc && found)
		rc = seal_public(priv, pub, err);
	else if (!rc) {
		seal_keypair(pub, priv);
		rc = write_private(dir, path, priv, err);
	}
	crypto_wipe(priv, sizeof(priv));
	if (!rc)
		rc = store_public(db, p, pub, err);
	if (!rc && out) {
		seal_fingerprint(pub, print);
		fprintf(out, "%s the %s key %s (%s); back it up apart from the database\n",
			found ? "took" : "made", purposes[p], path, print);
	}
	return rc;
}

enum ta_rc secret_make_keys(struct db *db, const char *key_dir, FILE *out, struct ta_err *err)
{
	char lock[80];
	snprintf(lock, sizeof(lock), "SELECT pg_advisory_xact_lock(%d, 1)", LOCK_MIGRATE);
	enum ta_rc rc = db_begin(db, err);
	if (!rc)
		rc = db_exec(db, lock, err);
	for (int p = 0; !rc && p < SECRET_PURPOSES; p++)
		rc = make_pair(db, key_dir, (enum secret_purpose)p, out, err);
	if (!rc)
		rc = db_commit(db, err);
	if (rc)
		db_rollback(db);
	return rc;
}

enum ta_rc secret_load(struct db *db, const char *key_dir, enum secret_purpose p,
	uint8_t priv[SEAL_KEY_LEN], struct ta_err *err)
{
	uint8_t want[SEAL_KEY_LEN], pub[SEAL_KEY_LEN];
	char path[700], print[17];
	bool known = false, found = false;
	enum ta_rc rc = public_of(db, p, want, &known, err);
	if (!rc && !known)
		rc = ta_fail(err, TA_CONFIG,
			"the database has no %s key yet; run `trackai migrate`", purposes[p]);
	key_path(path, key_dir, p);
	if (!rc)
		rc = read_private(path, priv, &found, err);
	if (rc)
		return rc;
	seal_fingerprint(want, print);
	if (!found)
		return ta_fail(err, TA_CONFIG,
			"the private %s key %s is missing; put the file with fingerprint %s there, "
			"or "
			"set `key dir`",
			purposes[p], path, print);
	rc = seal_public(priv, pub, err);
	if (!rc && memcmp(pub, want, SEAL_KEY_LEN) != 0)
		rc = ta_fail(err, TA_CONFIG,
			"%s is not this database's %s key; the one with fingerprint %s belongs "
			"there",
			path, purposes[p], print);
	if (rc)
		crypto_wipe(priv, SEAL_KEY_LEN);
	return rc;
}

enum ta_rc secret_seal(struct db *db, const struct secret_place *at, struct db_bytes plain,
	struct buf *out, struct ta_err *err)
{
	uint8_t pub[SEAL_KEY_LEN];
	bool found = false;
	if (plain.n == 0 || plain.n > SECRET_MAX)
		return ta_fail(err, TA_INVALID, "a secret has 1 to %d bytes, this one %zu",
			SECRET_MAX, plain.n);
	enum ta_rc rc = public_of(db, at->purpose, pub, &found, err);
	if (rc)
		return rc;
	if (!found)
		return ta_fail(err, TA_CONFIG,
			"the database has no %s key yet; run `trackai migrate`",
			purposes[at->purpose]);
	char *room = buf_room(out, plain.n + SEAL_OVERHEAD);
	if (!room)
		return ta_fail(err, TA_LIMIT, "no room for a sealed secret of %zu bytes", plain.n);
	rc = seal(pub, at->aad, plain.p, plain.n, (uint8_t *)room, err);
	if (!rc)
		buf_grew(out, plain.n + SEAL_OVERHEAD);
	return rc;
}

enum ta_rc secret_open(const uint8_t priv[SEAL_KEY_LEN], const struct secret_place *at,
	struct db_bytes blob, struct secret_text *out, struct ta_err *err)
{
	if (!blob.p || blob.n < SEAL_OVERHEAD || blob.n > SECRET_MAX + SEAL_OVERHEAD)
		return ta_fail(err, TA_DENIED, "a sealed secret is damaged; set it again");
	enum ta_rc rc = seal_open(priv, at->aad, blob.p, blob.n, (uint8_t *)out->text, err);
	out->n = rc ? 0 : blob.n - SEAL_OVERHEAD;
	out->text[out->n] = '\0';
	return rc;
}
