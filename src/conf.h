/* Settings: flag, environment, user file, /etc/trackai/trackai.conf, default (src/conf.def).
 * Files hold `key = value` lines, # starts a comment. */
#ifndef TA_CONF_H
#define TA_CONF_H

#include "src/err.h"

#include <stddef.h>
#include <stdint.h>

enum conf_key {
#define SETTING(name, word, flag, env, def, help) CONF_##name,
#include "src/conf.def"
#undef SETTING
	CONF_COUNT
};

/* Reads everything; takes the settings' flags (--listen X, --listen=X) out of argv.
 * Errors: TA_CONFIG/TA_USAGE (unknown key in a file with its line, missing value). */
TA_MUST enum ta_rc conf_load(int *argc, char **argv, struct ta_err *err);
/* What a setting would be if the program started now: its flag or environment, else what the files
 * say now. Changes nothing, so any thread may ask. Errors: as conf_load. */
TA_MUST enum ta_rc conf_again(enum conf_key k, char *out, size_t n, struct ta_err *err);
const char *conf_get(enum conf_key k); /* never NULL; "" when unset */
const char *conf_word(enum conf_key k);
const char *conf_origin(enum conf_key k); /* "flag", "TRACKAI_LISTEN", "/etc/…:3", "default" */
/* Settings that hold a secret are never shown. */
bool conf_is_secret(enum conf_key k);
/* The secret itself, as conf_again: the text, or the first line of the file that "@FILE" names.
 * crypto_wipe() it after use. Errors: as conf_again; TA_CONFIG (no such file; longer than n - 1).
 */
TA_MUST enum ta_rc conf_secret(enum conf_key k, char *out, size_t n, struct ta_err *err);
/* For commands that derive a value (the private default): origin is copied. */
void conf_set(enum conf_key k, const char *value, const char *origin);
/* True when a database was named by flag, file, TRACKAI_DATABASE, DATABASE_URL or PG*:
 * then nothing private is started. */
bool conf_has_database(void);
/* Home of everything private: CONF_DATA, else $XDG_DATA_HOME/trackai, else ~/.local/share/trackai;
 * under root /var/lib/trackai. Borrowed. */
const char *conf_data_dir(void);
/* CONF_KEY_DIR, else <data dir>/keys. Borrowed. */
const char *conf_key_dir(void);
/* Bytes of "1GiB", "500MB", "2G" (as GiB), "1048576", in any case. Errors: TA_CONFIG. */
TA_MUST enum ta_rc conf_bytes(enum conf_key k, int64_t *out, struct ta_err *err);
/* Splits "127.0.0.1:8090" or "[::1]:8090". Errors: TA_CONFIG. */
TA_MUST enum ta_rc conf_address(const char *text, char host[64], int *port, struct ta_err *err);

#endif
