/* call_fuzzer.c - libFuzzer target: solvers of one field, with any options, inputs, outputs and losses. */
#include "calls.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  enum { DIM = 2 };
  static const cnf_op ops[] = {
      {.kind = CNF_OP_TIME, .input = CNF_NO_BLOCK, .input2 = CNF_NO_BLOCK},
      {.kind = CNF_OP_CONTEXT, .input = CNF_NO_BLOCK, .input2 = CNF_NO_BLOCK, .rows = 2},
      {.kind = CNF_OP_CONCAT, .input = CNF_STATE, .input2 = 1},
      {.kind = CNF_OP_CONCAT, .input = 3, .input2 = 2},
      {.kind = CNF_OP_LINEAR, .input = 4, .input2 = CNF_NO_BLOCK, .rows = 9, .activation = CNF_ACTIVATION_TANH},
      {.kind = CNF_OP_DROPOUT, .input = 5, .input2 = CNF_NO_BLOCK, .number = 0.1},
      {.kind = CNF_OP_LINEAR, .input = 6, .input2 = CNF_NO_BLOCK, .rows = DIM}};
  bytes b = {.next = data, .left = size};
  const int32_t dtype = pick(&b, 2);
  cnf_field *field = NULL;
  MUST(cnf_field_create(dtype, DIM, ops, sizeof ops / sizeof ops[0], sizeof ops[0], &field) == CNF_OK);
  fuzz_calls(&b, field, dtype, DIM);
  cnf_field_destroy(field);
  return 0;
}
