// Small comforts. Every page works without them.
"use strict";
