/* A JSON value as the source of an expression: paths are keys and indexes joined by dots. */
#ifndef TA_RULE_JSON_H
#define TA_RULE_JSON_H

#include "src/rule.h"

#include <jansson.h>

/* Borrows the value; NULL has no fields. Strings that come out are borrowed from it. */
struct rule_source rule_source_json(const json_t *j);

#endif
