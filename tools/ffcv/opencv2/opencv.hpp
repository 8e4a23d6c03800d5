// Stands for OpenCV's header of the same name, which wants all of its modules installed.
#pragma once
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>
