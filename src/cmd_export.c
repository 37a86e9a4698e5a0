/* trackai export: stores, pixels and rules as one JSON document. */
#include "db/conn.h"
#include "db/transfer.h"
#include "src/arena.h"
#include "src/buf.h"
#include "src/cmd.h"
#include "src/cmd_db.h"
#include "src/cmd_file.h"
#include "src/cmd_transfer.h"
#include "src/conf.h"
#include "src/opt.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum ta_rc transfer_passphrase(
	const char *path, struct arena *a, const char **out, struct ta_err *err)
{
	struct buf b = BUF_INIT(2 * PASSPHRASE_MAX);
	enum ta_rc rc = cmd_read_file(path, PASSPHRASE_MAX + 2, &b, err);
	size_t n = rc ? 0 : strcspn(buf_str(&b), "\r\n");
	if (!rc && (n < PASSPHRASE_MIN || n > PASSPHRASE_MAX))
		rc = ta_fail(err, TA_INVALID,
			"the passphrase, the first line of %.120s, must have %d to %d bytes", path,
			PASSPHRASE_MIN, PASSPHRASE_MAX);
	if (!rc)
		*out = arena_strndup(a, buf_str(&b), n);
	if (b.p)
		crypto_wipe(b.p, b.len);
	buf_release(&b);
	return rc;
}

enum ta_rc transfer_keys_load(struct db *db, struct transfer_keys *out, struct ta_err *err)
{
	struct ta_err why;
	for (int p = 0; p < SECRET_PURPOSES; p++) {
		enum ta_rc rc = secret_load(db, conf_key_dir(), (enum secret_purpose)p,
			out->priv[p], out->strict ? err : &why);
		out->have[p] = !rc;
		if (rc && out->strict)
			return rc;
	}
	return TA_OK;
}

/* Beside the file, then in its place: a document is whole or is not there. Only for its owner. */
static enum ta_rc write_file(const char *path, const struct buf *doc, struct ta_err *err)
{
	char part[1024];
	int n = snprintf(part, sizeof(part), "%s.part", path);
	if (n < 0 || (size_t)n >= sizeof(part))
		return ta_fail(err, TA_USAGE, "--file: the name is too long");
	int fd = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return ta_fail_os(err, "cannot write %.160s", part);
	size_t done = 0;
	bool ok = fchmod(fd, 0600) == 0;
	while (ok && done < doc->len) {
		ssize_t wrote = write(fd, doc->p + done, doc->len - done);
		ok = wrote > 0 || (wrote < 0 && errno == EINTR);
		done += wrote > 0 ? (size_t)wrote : 0;
	}
	ok = ok && fsync(fd) == 0;
	ok = close(fd) == 0 && ok;
	if (ok && rename(part, path) == 0)
		return TA_OK;
	enum ta_rc rc = ta_fail_os(err, "cannot write %.160s", path);
	unlink(part);
	return rc;
}

static enum ta_rc put(const char *path, const struct buf *doc, struct ta_err *err)
{
	if (path)
		return write_file(path, doc, err);
	if (fwrite(doc->p, 1, doc->len, stdout) != doc->len || fflush(stdout))
		return ta_fail_os(err, "cannot write to standard output");
	return TA_OK;
}

struct options {
	const char *file, *passphrase;
	bool secrets;
};

static enum ta_rc parse(int argc, char **argv, struct options *o, struct ta_err *err)
{
	const struct opt opts[] = {
		{"file", OPT_STR, &o->file, "write here, else to standard output"},
		{"with-secrets", OPT_FLAG, &o->secrets, "secrets too, under a passphrase"},
		{"passphrase-file", OPT_STR, &o->passphrase, "its first line is the passphrase"},
		{0}};
	enum ta_rc rc = opt_parse(&argc, argv, opts, err);
	if (!rc && argc > 1)
		rc = ta_fail(err, TA_USAGE, "\"%.40s\" is one word too many", argv[1]);
	if (!rc && o->secrets != (o->passphrase != NULL))
		rc = ta_fail(err, TA_USAGE,
			"--with-secrets and --passphrase-file go together: secrets are written only "
			"under a passphrase");
	return rc;
}

int cmd_export(int argc, char **argv)
{
	struct ta_err err = {0};
	struct db *db = NULL;
	struct arena mem = ARENA_INIT;
	struct options o = {0};
	struct transfer_keys keys = {.strict = true};
	struct box_pass pass = {.cost = BOX_COST};
	struct transfer_export e = {.mem = &mem, .pass = &pass};
	struct buf doc = BUF_INIT(TRANSFER_MAX);
	enum ta_rc rc = parse(argc, argv, &o, &err);
	if (!rc && o.secrets)
		rc = transfer_passphrase(o.passphrase, &mem, &pass.p, &err);
	if (!rc)
		rc = cmd_db_ready("export", &db, &err);
	if (!rc && o.secrets) {
		pass.n = strlen(pass.p);
		e.keys = &keys;
		rc = transfer_keys_load(db, &keys, &err);
	}
	if (!rc)
		rc = transfer_write(db, &e, &doc, &err);
	if (!rc)
		rc = put(o.file, &doc, &err);
	int status = rc ? cmd_fail("export", &err) : 0;
	crypto_wipe(&keys, sizeof(keys));
	buf_release(&doc);
	db_close(db);
	arena_release(&mem);
	return status;
}
