#ifndef CNF_SOLVE_MEMORY_H
#define CNF_SOLVE_MEMORY_H

#include <stddef.h>

char *cnf_memory_take(size_t bytes); /* zeroed, on a cache line; NULL: none left */
void cnf_memory_free(char *memory);
/* Address space whose pages cost nothing until they are written; zeroed. NULL: none left. */
char *cnf_memory_reserve(size_t bytes);
void cnf_memory_release(char *memory, size_t bytes);

#endif
