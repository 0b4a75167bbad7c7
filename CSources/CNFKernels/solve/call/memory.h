#ifndef CNF_SOLVE_CALL_MEMORY_H
#define CNF_SOLVE_CALL_MEMORY_H

#include <stddef.h>

/* Zeroed memory, on a page of its own, whose pages cost nothing until they are written. NULL: none left. */
char *cnf_memory_take(size_t bytes);
void cnf_memory_free(char *memory, size_t bytes); /* NULL is a no-op; bytes as taken */

/* Bytes of physical memory that the machine has; 0 where it does not say. */
size_t cnf_memory_of_machine(void);

#endif
