// Checks that cnf.h compiles and links as C++, and has the same version as the library.
#include <cstdio>
#include <cstring>

#include "cnf.h"

#define TEXT_(x) #x
#define TEXT(x) TEXT_(x)

int main() {
  const char *expected = TEXT(CNF_VERSION_MAJOR) "." TEXT(CNF_VERSION_MINOR) "." TEXT(CNF_VERSION_PATCH);
  bool same = std::strcmp(cnf_version(), expected) == 0;
  std::printf("%d passed, %d failed\n", same ? 1 : 0, same ? 0 : 1);
  return same ? 0 : 1;
}
