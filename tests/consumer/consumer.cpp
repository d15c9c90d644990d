/* SPDX-License-Identifier: MIT
 *
 * consumer.cpp - a C++17 program on the installed library: option structs instead of the macros, a
 * loss and a callback of its own, C++ on both sides of the C calls.
 */
#include <cmath>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include <nacre.h>

template <class T, void (*release)(T *)> struct Release {
	void operator()(T *p) const
	{
		release(p);
	}
};
using Tensor = std::unique_ptr<nacre_tensor, Release<nacre_tensor, nacre_tensor_free>>;
using Dataset = std::unique_ptr<nacre_dataset, Release<nacre_dataset, nacre_dataset_free>>;
using Model = std::unique_ptr<nacre_model, Release<nacre_model, nacre_model_free>>;

static nacre_node *squared(nacre_node *y_true, nacre_node *y_pred, const nacre_loss_options *)
{
	return nacre_mean(nacre_square(nacre_minus(y_true, y_pred)), NACRE_LAST_AXIS, false);
}

static int count_epoch(void *context, nacre_model *, int, const nacre_logs *logs)
{
	static_cast<std::vector<double> *>(context)->push_back(nacre_logs_get(logs, "loss"));
	return 0;
}

int main()
{
	/* y = a + 2 b on a grid */
	const int side = 32;
	const std::int64_t x_shape[] = {side * side, 2}, y_shape[] = {side * side, 1};
	Tensor x(nacre_tensor_new(nullptr, NACRE_F32, 2, x_shape, nullptr));
	Tensor y(nacre_tensor_new(nullptr, NACRE_F32, 2, y_shape, nullptr));
	for (int i = 0; i < side * side; i++) {
		double a = double(i % side) / side, b = double(i / side) / side;
		nacre_tensor_set(x.get(), 2 * i, a);
		nacre_tensor_set(x.get(), 2 * i + 1, b);
		nacre_tensor_set(y.get(), i, a + 2 * b);
	}
	Dataset data(nacre_dataset_from_tensors(nullptr, x.get(), y.get()));

	Model model(nacre_sequential("plane"));
	nacre_input_options input = {};
	input.shape[0] = 2;
	nacre_add(model.get(), nacre_input_new(input));
	nacre_dense_options dense = {};
	dense.units = 16;
	dense.activation = nacre_relu;
	nacre_add(model.get(), nacre_dense_new(dense));
	dense = {};
	dense.units = 1;
	nacre_add(model.get(), nacre_dense_new(dense));

	nacre_compile_options compile = {};
	nacre_adam_options adam = {};
	adam.learning_rate = 0.01;
	compile.optimizer = nacre_adam_new(adam);
	compile.loss = squared;
	nacre_compile_with(model.get(), compile);

	std::vector<double> losses;
	nacre_fit_options fit = {};
	fit.data = data.get();
	fit.epochs = 20;
	fit.verbose = NACRE_SILENT;
	fit.callbacks[0].context = &losses;
	fit.callbacks[0].on_epoch_end = count_epoch;
	nacre_fit_with(model.get(), fit);
	if (int status = nacre_report(model.get()))
		return status;

	std::printf("nacre %s: loss %g -> %g\n", nacre_version(), losses.front(), losses.back());
	bool learned = losses.size() == 20 && losses.back() < 0.01;

	/* an error is a text, not an exception or an abort */
	Model wrong(nacre_sequential("wrong"));
	nacre_add(wrong.get(), nacre_dense_new(dense));
	bool told = nacre_model_error(wrong.get())->status != NACRE_OK &&
		    std::strlen(nacre_model_error(wrong.get())->text) > 0;
	std::printf("told: %s\n", nacre_model_error(wrong.get())->text);
	return learned && told ? 0 : 1;
}
