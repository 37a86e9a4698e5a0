/* Log lines: "2026-11-22T10:40:00.123456Z role level text" on stderr and, once log_open() was
 * called, appended to a file that all roles share (one write per line). Foreign text is cleaned
 * of control bytes here. Secrets never reach this function: callers mask. */
#ifndef TA_LOG_H
#define TA_LOG_H

#include "src/err.h"

enum log_level { LOG_LV_ERROR, LOG_LV_WARN, LOG_LV_INFO, LOG_LV_DEBUG };

/* Role shown in each line ("listener", …); borrowed, must outlive the process. */
void log_role(const char *role);
/* The level (info by default) is what `read` says: at once, and after log_reload() with the next
 * line. When it cannot be read the level stays, and a line says so. Errors: those of `read`. */
TA_MUST enum ta_rc log_level_from(
	enum ta_rc (*read)(enum log_level *out, struct ta_err *err), struct ta_err *err);
void log_reload(void); /* may be called by a signal handler */
/* "debug" and its like, false when unknown. */
TA_MUST bool log_level_of(const char *word, enum log_level *out);
/* Appends to `path` from now on (created 0640); `also_stderr` keeps stderr too. A file that was
 * moved away is followed by a new one; above LOG_FILE_MAX bytes it is moved to PATH.1 by itself. */
#define LOG_FILE_MAX (64 << 20)
TA_MUST enum ta_rc log_open(const char *path, bool also_stderr, struct ta_err *err);
void log_at(enum log_level lv, const char *fmt, ...) TA_PRINTF(2, 3);

#define log_error(...) log_at(LOG_LV_ERROR, __VA_ARGS__)
#define log_warn(...)  log_at(LOG_LV_WARN, __VA_ARGS__)
#define log_info(...)  log_at(LOG_LV_INFO, __VA_ARGS__)
#define log_debug(...) log_at(LOG_LV_DEBUG, __VA_ARGS__)

#endif
