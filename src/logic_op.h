/* The operations of JsonLogic (src/logic_ops.def); for the files logic_*.c only. */
#ifndef TA_LOGIC_OP_H
#define TA_LOGIC_OP_H

#include "src/logic_value.h"

/* One operation: its arguments, evaluated unless it is lazy, and the data it works on. */
struct logic_call {
	struct logic_run *r;
	const struct logic_value *v;
	size_t n;
	const struct logic_value *data;
};
typedef struct logic_value logic_fn(const struct logic_call *c);

#define LAZY(fn, name)  logic_fn logic_lazy_##fn;
#define LOGIC(fn, name) logic_fn logic_op_##fn;
#include "src/logic_ops.def"
#undef LAZY
#undef LOGIC

/* Evaluates a rule over data; fails the run when a bound is reached. */
struct logic_value logic_eval(
	struct logic_run *r, const struct logic_value *rule, const struct logic_value *data);

#endif
