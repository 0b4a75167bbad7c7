/* accuracy_test.c - checks that the errors of activations are within the bounds of simd/activations/traits.h.
 *
 *   accuracy_test [name ...]          with a stride of the floats and some doubles: takes seconds
 *   accuracy_test --all [name ...]    with all 2^32 floats and more doubles: takes minutes
 *
 * It runs on every instruction set of the machine, and prints the largest errors and their arguments. One process per
 * processor tests a part of the arguments, and sends its results through a pipe.
 */
#define _POSIX_C_SOURCE 200809L
#include <sys/wait.h>
#include <unistd.h>

#include "accuracy_test.h"
#include "check.h"

enum { MAX_ISAS = 8, MAX_PARTS = 64 };

typedef void test_function(int activation, accuracy_extent extent, int part, int parts, const int32_t *isas,
                           int isa_count, accuracy_result *results);

static void merge(accuracy_result *into, const accuracy_result *from) {
  for (int q = 0; q < ACCURACY_QUANTITIES; q++) {
    if (from->worst[q].ulps > into->worst[q].ulps) into->worst[q] = from->worst[q];
    into->bound[q] = from->bound[q];
  }
  if (from->broken) into->broken_at = from->broken_at;
  into->arguments += from->arguments, into->broken += from->broken;
}

/* Runs all parts, each in a separate process, and merges their results. */
static void test_in_parts(test_function *test, int activation, accuracy_extent extent, int parts, const int32_t *isas,
                          int isa_count, accuracy_result *results) {
  int pipes[MAX_PARTS][2];
  const size_t size = (size_t)isa_count * sizeof results[0];
  memset(results, 0, size);
  fflush(stdout);
  for (int part = 0; part < parts; part++) {
    CHECK(pipe(pipes[part]) == 0);
    if (fork() == 0) {
      test(activation, extent, part, parts, isas, isa_count, results);
      _exit(write(pipes[part][1], results, size) == (ssize_t)size ? 0 : 1);
    }
    close(pipes[part][1]);
  }
  for (int part = 0; part < parts; part++) {
    accuracy_result from[MAX_ISAS];
    int status = -1;
    CHECK(read(pipes[part][0], from, size) == (ssize_t)size);
    close(pipes[part][0]);
    CHECK(wait(&status) > 0 && status == 0);
    for (int n = 0; n < isa_count; n++) merge(&results[n], &from[n]);
  }
}

static void report(const char *name, const char *dtype, int32_t isa, const accuracy_result *r) {
  static const char *const quantities[ACCURACY_QUANTITIES] = {"y", "kept", "a'", "a''"};
  printf("%-8s %s %-7s", name, dtype, cnf_isa_name(isa));
  for (int q = 0; q < ACCURACY_QUANTITIES; q++)
    printf("  %s %.3f of %g at %.9g", quantities[q], r->worst[q].ulps, r->bound[q], r->worst[q].at);
  printf("\n");
  for (int q = 0; q < ACCURACY_QUANTITIES; q++) {
    char detail[256];
    snprintf(detail, sizeof detail, "%s of %s %s %s at %a: found %a, expected %a", quantities[q], name, dtype,
             cnf_isa_name(isa), r->worst[q].at, r->worst[q].found, r->worst[q].expected);
    check_count(r->worst[q].ulps <= r->bound[q], "error within its bound", detail, __LINE__);
  }
  char detail[128];
  snprintf(detail, sizeof detail, "%s %s %s: %lld arguments, one is %a", name, dtype, cnf_isa_name(isa),
           (long long)r->broken, r->broken_at);
  check_count(r->broken == 0 && r->arguments > 0, "NaN stays NaN, and results are in their range", detail, __LINE__);
}

static int is_wanted(const char *name, int count, char **names) {
  for (int i = 0; i < count; i++)
    if (strcmp(name, names[i]) == 0) return 1;
  return count == 0;
}

int main(int count, char **words) {
  const int is_all = count > 1 && strcmp(words[1], "--all") == 0;
  int32_t isas[MAX_ISAS];
  int isa_count = 0;
#define CNF_X(name, value, suffix, text) \
  if (cnf_isa_is_available(value)) isas[isa_count++] = value;
  CNF_ISA_LIST(CNF_X)
#undef CNF_X
  const long processors = sysconf(_SC_NPROCESSORS_ONLN);
  const int parts = processors < 1 ? 1 : processors > MAX_PARTS ? MAX_PARTS : (int)processors;
  static const struct {
    const char *name;
    test_function *test;
  } dtypes[] = {{"f32", accuracy_test_f32}, {"f64", accuracy_test_f64}};
  static const char *const names[] = {
#define CNF_X(name, value, suffix, text) [value] = text,
      CNF_ACTIVATION_LIST(CNF_X)
#undef CNF_X
  };
  for (int activation = 0; activation < (int)(sizeof names / sizeof names[0]); activation++)
    for (int d = 0; d < 2 && is_wanted(names[activation], count - 1 - is_all, words + 1 + is_all); d++) {
      accuracy_result results[MAX_ISAS];
      test_in_parts(dtypes[d].test, activation, is_all ? ACCURACY_ALL : ACCURACY_STRIDE, parts, isas, isa_count,
                    results);
      for (int n = 0; n < isa_count; n++) report(names[activation], dtypes[d].name, isas[n], &results[n]);
    }
  return check_report();
}
