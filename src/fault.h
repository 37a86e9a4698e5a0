/* Named fault points for the crash tests: TRACKAI_FAULT="router.before_commit:3" kills the process
 * with SIGKILL when it passes that point for the third time; with "…:3:FILE" only as long as there
 * is a byte in FILE, and takes it. Costs one pointer test otherwise. */
#ifndef TA_FAULT_H
#define TA_FAULT_H

void fault_point(const char *name);

#endif
