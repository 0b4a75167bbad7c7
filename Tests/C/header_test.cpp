// Checks that cnf.h compiles and links as C++, that its structs can be filled without warnings as its opening comment
// says, and that it has the same version as the library.
#include <cstdio>
#include <cstring>

#include "cnf.h"

#define TEXT_(x) #x
#define TEXT(x) TEXT_(x)

int main() {
  const char *expected = TEXT(CNF_VERSION_MAJOR) "." TEXT(CNF_VERSION_MINOR) "." TEXT(CNF_VERSION_PATCH);
  bool same = std::strcmp(cnf_version(), expected) == 0;
  cnf_solve_input in = {};
  in.struct_size = sizeof in, in.t1 = 1;
  same = same && in.count == 0 && in.t0 == 0 && !in.x0;
  std::printf("%d passed, %d failed\n", same ? 1 : 0, same ? 0 : 1);
  return same ? 0 : 1;
}
