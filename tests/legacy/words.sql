-- The enum types of the application, by the names and labels it gives them. :appmax adds the label a later script adds.
create type "PaymentStatus" as enum ('PENDING', 'PROCESSING', 'REQUIRES_ACTION', 'SUCCEEDED', 'FAILED', 'CANCELED', 'EXPIRED', 'REFUNDING',
    'REFUNDED', 'PARTIALLY_REFUNDED', 'CHARGEBACK', 'DISPUTED');
create type "PaymentProvider" as enum ('KRXPAY', 'STRIPE', 'ADYEN', 'PAYPAL', 'MERCADOPAGO', 'PAGARME', 'OPENFINANCE');
create type "CheckoutSessionStatus" as enum ('started', 'pix_generated', 'paid', 'abandoned', 'canceled');
create type "CheckoutPaymentMethod" as enum ('pix', 'card', 'pix_ob', 'unknown');
create type "PaymentStatusOB" as enum ('PENDING', 'PROCESSING', 'COMPLETED', 'REJECTED', 'CANCELLED', 'EXPIRED', 'ACCP', 'PAGO', 'RJCT', 'CANC');
create type "Currency" as enum ('BRL', 'USD', 'EUR', 'MXN');
create type "PaymentMethod" as enum ('CARD', 'PIX', 'BOLETO', 'PAYPAL', 'OPEN_FINANCE', 'OPEN_FINANCE_AUTOMATIC');
create type "MerchantStatus" as enum ('PENDING', 'ACTIVE', 'REJECTED', 'DISABLED');
