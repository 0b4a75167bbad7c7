/* Memory from the operating system: mapped at once, touched as it is used. */
#ifndef CNF_HOST_MEMORY_H
#define CNF_HOST_MEMORY_H

#include <stddef.h>

/* Zeroed memory on pages of its own, which cost nothing until they are written. NULL: none is left. */
char *cnf_memory_take(size_t bytes);
void cnf_memory_free(char *memory, size_t bytes); /* NULL is a no-op; `bytes` as taken */

/* Bytes that this process may use: the least of the machine's memory, the limits of its control groups and its own
 * limit of address space. 0: nothing says. */
size_t cnf_memory_budget(void);

#endif
