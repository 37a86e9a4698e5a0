/* What `trackai export` and `trackai import` share. */
#ifndef TA_CMD_TRANSFER_H
#define TA_CMD_TRANSFER_H

#include "src/err.h"

struct arena;
struct db;
struct transfer_keys;

#define PASSPHRASE_MIN 8
#define PASSPHRASE_MAX 1024

/* The first line of a file, as a passphrase. Errors: TA_IO, TA_INVALID (too short or too long). */
TA_MUST enum ta_rc transfer_passphrase(
	const char *path, struct arena *a, const char **out, struct ta_err *err);
/* The private keys that this process can read. Errors: with out->strict those of secret_load(). */
TA_MUST enum ta_rc transfer_keys_load(struct db *db, struct transfer_keys *out, struct ta_err *err);

#endif
