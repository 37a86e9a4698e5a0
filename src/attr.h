/* Attributes and small macros every file may use. */
#ifndef TA_ATTR_H
#define TA_ATTR_H

#define TA_MUST         __attribute__((warn_unused_result))
#define TA_PRINTF(f, a) __attribute__((format(printf, f, a)))
#define TA_NORETURN     __attribute__((noreturn))
#define TA_UNUSED       __attribute__((unused))
#define TA_MALLOC       __attribute__((malloc, returns_nonnull))
#define TA_CLEANUP(fn)  __attribute__((cleanup(fn)))
#define TA_COUNT(a)     (sizeof(a) / sizeof((a)[0]))
#define TA_MIN(a, b)    ((a) < (b) ? (a) : (b))
#define TA_MAX(a, b)    ((a) > (b) ? (a) : (b))

#endif
